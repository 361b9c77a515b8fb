/** The library of nodes: opened, closed, and asked for a node, which the canvas or the list then places. */

import { isTouch } from "../canvas/touch";
import type { NodeType } from "../graph/catalogue";
import { setShelf, useShelf } from "../store/shelf";
import { showNodes, useUi } from "../store/ui";
import { activeTab } from "../store/workspace";

export const shelving = new EventTarget();

/** Open it with the focus in its search, or close it. */
export function toggleShelf(): void {
  if (activeTab() === undefined) return;
  const isOpen = !useShelf.getState().isOpen || useUi.getState().view === "form";
  if (isOpen) showNodes();
  setShelf(isOpen);
  // On a touch screen the focus would bring up a keyboard over the nodes.
  if (isOpen && !isTouch()) window.setTimeout(() => document.querySelector<HTMLInputElement>(".shelf-search")?.focus(), 30);
}

/** Ask for a node of a type at a place that is free. */
export function placeFromShelf(type: NodeType): void {
  shelving.dispatchEvent(new CustomEvent<NodeType>("place", { detail: type }));
}

/** Hear of nodes that are to be placed. */
export function onPlacing(place: (type: NodeType) => void): () => void {
  const hear = (event: Event) => place((event as CustomEvent<NodeType>).detail);
  shelving.addEventListener("place", hear);
  return () => shelving.removeEventListener("place", hear);
}
