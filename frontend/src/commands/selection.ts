/** Actions on what is selected. */

import { copyText, duplicated, paste, pastedDocument } from "../graph/clipboard";
import { toggleCollapsed } from "../graph/collapse";
import { type Document, type Point, positionOf } from "../graph/document";
import { disconnect, moveNodes, removeNodes, setMode } from "../graph/edits";
import { layout, type Size } from "../graph/layout";
import { straightened } from "../graph/reroutes";
import type { Scene } from "../graph/scene";
import { isBoundary } from "../graph/scope";
import { activeDocument, useWorkspace } from "../store/workspace";

const { edit, select } = useWorkspace.getState();

function selected(): readonly string[] {
  const document = activeDocument();
  return useWorkspace.getState().selected.filter((id) => document && Object.hasOwn(document.nodes, id));
}

export function hasSelection(): boolean {
  return selected().length > 0;
}

export function copied(): string | null {
  const document = activeDocument();
  const ids = selected().filter((id) => !isBoundary(id));
  return document && ids.length > 0 ? copyText(document, ids) : null;
}

export function removeSelected(): void {
  const { selectedLinks } = useWorkspace.getState();
  const ids = selected();
  if (ids.length === 0 && selectedLinks.length === 0) return;
  edit((document) => removeNodes(disconnect(document, selectedLinks), ids));
  select([]);
}

/** Paste text; whether it was a workflow. */
export function pasteText(text: string, at: Point | null): boolean {
  const piece = pastedDocument(text);
  if (typeof piece === "string" || activeDocument() === undefined) return false;
  let ids: string[] = [];
  edit((document) => {
    const pasted = paste(document, piece, freeSpot(document, piece, at));
    ids = pasted.ids;
    return pasted.document;
  });
  select(ids);
  return true;
}

/** Where nothing says where to paste, beside where it came from, unless that is empty. */
function freeSpot(document: Document, piece: Document, at: Point | null): Point | null {
  if (at !== null) return at;
  const isTaken = Object.keys(piece.nodes).some((id) => Object.hasOwn(document.nodes, id));
  const first = Object.keys(piece.nodes).map((id) => positionOf(piece, id))[0] ?? null;
  return isTaken ? null : first;
}

/** A copy beside each selected node. Links into the selection come along. */
export function duplicate(): void {
  const ids = selected();
  if (ids.length === 0) return;
  let made: string[] = [];
  edit((document) => {
    const copies = duplicated(document, ids);
    made = copies.ids;
    return copies.document;
  });
  if (made.length > 0) select(made);
}

export function toggleMode(mode: "bypass" | "mute"): void {
  const ids = selected();
  if (ids.length === 0) return;
  edit((document) => {
    const all = ids.every((id) => document.nodes[id]?.mode === mode);
    return setMode(document, ids, all ? null : mode);
  });
}

export function collapseSelected(): void {
  const ids = selected();
  if (ids.length > 0) edit((document) => toggleCollapsed(document, ids));
}

export function selectAll(): void {
  select(Object.keys(activeDocument()?.nodes ?? {}));
}

/** Lay out the selected nodes, or all of them where fewer than two are selected. */
export function arrange(scene: Scene, sizes: ReadonlyMap<string, Size>, all = false): void {
  const ids = selected();
  const chosen = new Set(!all && ids.length > 1 ? ids : [...scene.nodes.keys()]);
  const wanted = new Map([...sizes].filter(([id]) => chosen.has(id)));
  if (wanted.size === 0) return;
  const placed = layout(wanted, scene.links.map(({ from, to }) => ({ from, to })));
  // Way points led around what stands elsewhere now.
  edit((document) => straightened(moveNodes(document, placed), new Set(wanted.keys())));
}
