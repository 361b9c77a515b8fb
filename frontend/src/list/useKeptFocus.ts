/** The focus stays in the list when the node that had it is gone: on what is selected instead, or on the next node. */

import { useEffect, useRef, type RefObject } from "react";

import { useWorkspace } from "../store/workspace";

export function useKeptFocus(box: RefObject<HTMLElement | null>, order: readonly string[]): void {
  const before = useRef(order);
  const last = useRef<string | null>(null);
  useEffect(() => {
    const element = box.current;
    const onFocus = ({ target }: FocusEvent) => {
      const node = target instanceof Element ? target.closest<HTMLElement>(".list-node")?.dataset.node : undefined;
      last.current = node ?? null;
    };
    element?.addEventListener("focusin", onFocus);
    return () => element?.removeEventListener("focusin", onFocus);
  }, [box]);
  useEffect(() => {
    const old = before.current;
    before.current = order;
    const node = last.current;
    if (node === null || order.includes(node) || !old.includes(node)) return;
    const left = old.slice(old.indexOf(node)).concat(old.slice(0, old.indexOf(node)).reverse());
    const { selected } = useWorkspace.getState();
    const next = [...selected, ...left].find((id) => order.includes(id));
    const target = next === undefined ? ".list-filter" : `.list-node[data-node="${CSS.escape(next)}"] .list-open`;
    // A menu that is closing gives the focus back first.
    window.setTimeout(() => {
      if (document.activeElement === document.body) box.current?.querySelector<HTMLElement>(target)?.focus();
    }, 20);
  }, [box, order]);
}
