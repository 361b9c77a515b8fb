/** Where new nodes go, and the focus. */

import { positionOf, type Document, type Point } from "../graph/document";
import { estimate, NODE_WIDTH } from "../graph/estimate";
import { sceneOf, type Scene } from "../graph/scene";
import { useServer } from "../store/server";
import { useUi } from "../store/ui";
import { activeDocument } from "../store/workspace";

const GAP = 60;

/** A place beside a node where no other stands. */
export function freeSpot(node: string, side: "left" | "right" = "right"): Point {
  const document = activeDocument();
  const at = document ? positionOf(document, node) : null;
  if (document === undefined || at === null) return { x: 120, y: 120 };
  const x = side === "right" ? at.x + NODE_WIDTH + GAP : at.x - NODE_WIDTH - GAP;
  return free(document, { x, y: at.y });
}

/** The first place from here downwards that is free. */
export function free(document: Document, from: Point): Point {
  const boxes = boxesOf(document, sceneOf(document, useServer.getState().catalogue));
  let { y } = from;
  for (;;) {
    const hit = boxes.find((box) => Math.abs(box.x - from.x) < NODE_WIDTH + 20 && y < box.bottom + 20 && y + 200 > box.y);
    if (hit === undefined) return { x: from.x, y };
    y = hit.bottom + 30;
  }
}

function boxesOf(document: Document, scene: Scene): { x: number; y: number; bottom: number }[] {
  return [...scene.nodes.values()].map((node) => {
    const { x, y } = positionOf(document, node.id) ?? node.position;
    return { x, y, bottom: y + estimate(node).height };
  });
}

/** For how long a node that is not drawn yet is waited for. */
const PATIENCE = 3_000;
let latest = 0;

/** Give a node the focus, once it is drawn; in the list also one of its lines (`in:model`). */
export function focusNode(id: string, row = ""): void {
  latest += 1;
  const mine = latest;
  const until = performance.now() + PATIENCE;
  let before: Element | null = null;
  const attempt = () => {
    // Whoever went on to something else in the meantime stays there.
    const { activeElement } = document;
    if (before !== null && activeElement !== before && activeElement !== document.body) return;
    before = activeElement;
    const { adding, linking, dialog, renaming, commenting } = useUi.getState();
    if (mine !== latest || adding !== null || linking !== null || dialog !== null) return;
    if (renaming !== null || commenting !== null) return;
    // A menu that was opened meanwhile would close when the focus leaves it.
    if (document.querySelector('[role="menu"][data-state="open"]') !== null) return;
    const place = placeToFocus(id, row);
    if (place !== null) place.focus({ preventScroll: place.matches(".react-flow__node") });
    else if (performance.now() < until) window.requestAnimationFrame(attempt);
  };
  // What is being closed gives the focus back first.
  window.setTimeout(attempt, 60);
}

function placeToFocus(id: string, row: string): HTMLElement | null {
  const name = CSS.escape(id);
  const section = document.querySelector<HTMLElement>(`.list-node[data-node="${name}"]`);
  return (
    section?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row)}"] :is(button, input, textarea)`) ??
    section?.querySelector<HTMLElement>(".list-open") ??
    document.querySelector<HTMLElement>(`.react-flow__node[data-id="${name}"]`)
  );
}
