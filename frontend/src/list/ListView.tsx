/** The open workflow as a list: for those who read with their ears, and for small screens. */

import { ChevronsDownUp, ChevronsUpDown, Plus, Workflow } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { AddMenu } from "../canvas/AddMenu";
import { free, freeSpot } from "../canvas/places";
import { useDrawn } from "../canvas/useScene";
import { arranging } from "../commands/list";
import { goToNode } from "../commands/find";
import { findNodes } from "../graph/find";
import { readingOrder } from "../graph/order";
import { Empty } from "../panels/Empty";
import { IconButton } from "../shell/IconButton";
import { useServer } from "../store/server";
import { ACTUAL_SIZE, useUi } from "../store/ui";
import { activeDocument, pathOf, shownOf, useWorkspace, type Tab } from "../store/workspace";
import { text } from "../text/en";
import { Annotated } from "./Annotated";
import { SceneContext, titleIn } from "./context";
import { NodeSection } from "./NodeSection";
import { keyOf, setOpen } from "./opened";
import { useKeptFocus } from "./useKeptFocus";

const t = text.list;

export function ListView({ tab }: { readonly tab: Tab }) {
  const document = shownOf(tab);
  const scene = useDrawn(document);
  const catalogue = useServer((server) => server.catalogue);
  const [query, setQuery] = useState("");
  const box = useRef<HTMLElement>(null);
  const order = useMemo(() => readingOrder(document), [document]);
  const found = useMemo(
    () => (query.trim() === "" ? null : findNodes(document, catalogue, query).map(({ id }) => id)),
    [document, catalogue, query],
  );
  const kept = new Set(found);
  const seen = found === null ? order : order.filter((id) => kept.has(id));
  const place = [tab.id, ...pathOf(tab).map(({ definition }) => definition)].join("/");
  useAdding(box);
  useWishes(place, () => setQuery(""));
  useKeptFocus(box, order);
  const keys = () => seen.map((id) => keyOf(place, id));
  return (
    <section ref={box} className="list-view" aria-label={t.label}>
      <div className="list-bar">
        <input
          type="search"
          className="field list-filter"
          aria-label={t.filter}
          placeholder={t.placeholder}
          value={query}
          onChange={({ target }) => setQuery(target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setQuery("");
            const first = found?.[0];
            if (event.key === "Enter" && first !== undefined) goToNode(first);
          }}
        />
        <span className="quiet list-count">{t.count(seen.length)}</span>
        <IconButton label={t.openAll} icon={ChevronsUpDown} onClick={() => setOpen(keys(), true)} />
        <IconButton label={t.closeAll} icon={ChevronsDownUp} onClick={() => setOpen(keys(), false)} />
        <button type="button" className="secondary list-add" onClick={() => arranging.dispatchEvent(new Event("add"))}>
          <Plus size={15} aria-hidden /> {t.add}
        </button>
      </div>
      {order.length === 0 && <Empty icon={Workflow} title={t.empty} lead={t.emptyLead} />}
      {order.length > 0 && seen.length === 0 && <p className="quiet list-none">{t.noneFound}</p>}
      <SceneContext value={scene}>
        <ol className="list-nodes">
          {seen.map((id) => {
            const node = scene.nodes.get(id);
            return node && (
              <li key={id}>
                <NodeSection node={node} title={titleIn(scene, id)} place={keyOf(place, id)} count={order.length} />
              </li>
            );
          })}
        </ol>
        <Annotated scene={scene} />
      </SceneContext>
      <AddMenu />
    </section>
  );
}

/** New nodes get a place on the canvas too: beside the one that is selected. */
function useAdding(box: React.RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onAdd = () => {
      const document = activeDocument();
      if (document === undefined) return;
      const { left, top, width } = box.current?.getBoundingClientRect() ?? new DOMRect();
      const screen = { x: left + width / 2 - 170, y: top + 60 };
      const [selected] = useWorkspace.getState().selected;
      const at = selected !== undefined ? freeSpot(selected) : free(document, { x: 120, y: 120 });
      useUi.setState({ adding: { screen, at } });
    };
    arranging.addEventListener("add", onAdd);
    return () => arranging.removeEventListener("add", onAdd);
  }, [box]);
}

/** A node that is to be shown is opened, scrolled to and given the focus; at first the one that is selected. */
function useWishes(place: string, seeAll: () => void): void {
  const wish = useUi((ui) => ui.wish);
  const first = useRef(wish);
  const all = useRef(seeAll);
  useEffect(() => {
    const [selected] = useWorkspace.getState().selected;
    const isFirst = wish === first.current;
    const node = isFirst ? selected : wish?.node;
    if (node === undefined || node === null || node === ACTUAL_SIZE) return;
    if (!isFirst) all.current();
    setOpen([keyOf(place, node)], true);
    const timer = window.setTimeout(() => {
      const section = document.querySelector<HTMLElement>(`.list-node[data-node="${CSS.escape(node)}"]`);
      section?.scrollIntoView({ block: "start" });
      if (isFirst && document.activeElement !== document.body) return;
      section?.querySelector<HTMLElement>(".list-open")?.focus({ preventScroll: true });
    }, 30);
    return () => window.clearTimeout(timer);
  }, [wish, place]);
}
