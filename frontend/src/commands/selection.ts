/** Actions on what is selected. */

import { copyText, duplicated, paste, pastedDocument, type Pasted } from "../graph/clipboard";
import { toggleCollapsed } from "../graph/collapse";
import { type Document, type Point, positionOf } from "../graph/document";
import { disconnect, moveNodes, removeNodes, setMode } from "../graph/edits";
import { boxesOf, companions, framesOf, removeFrames } from "../graph/frames";
import { layout, type Size } from "../graph/layout";
import { straightened } from "../graph/reroutes";
import { sceneOf, type Scene } from "../graph/scene";
import { isBoundary } from "../graph/scope";
import { useServer } from "../store/server";
import { useUi } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";

const { edit, select } = useWorkspace.getState();

function selected(): readonly string[] {
  const document = activeDocument();
  return useWorkspace.getState().selected.filter((id) => document && Object.hasOwn(document.nodes, id));
}

export function hasSelection(): boolean {
  return selected().length > 0;
}

/** The selected groups and notes that are there. */
function selectedFrames(): readonly string[] {
  const document = activeDocument();
  const known = document ? framesOf(document) : new Map();
  return useWorkspace.getState().selectedFrames.filter((key) => known.has(key));
}

/** The groups and notes that a copy of what is selected takes along. */
function alongWith(document: Document, ids: readonly string[]): string[] {
  return companions(document, ids, selectedFrames(), boxesOf(sceneOf(document, useServer.getState().catalogue)));
}

export function copied(): string | null {
  const document = activeDocument();
  const ids = selected().filter((id) => !isBoundary(id));
  const isAny = ids.length > 0 || selectedFrames().length > 0;
  return document && isAny ? copyText(document, ids, alongWith(document, ids)) : null;
}

export function removeSelected(): void {
  const { selectedLinks } = useWorkspace.getState();
  const ids = selected();
  const frames = selectedFrames();
  if (ids.length + selectedLinks.length + frames.length === 0) return;
  edit((document) => removeFrames(removeNodes(disconnect(document, selectedLinks), ids), frames));
  select([]);
}

/** What is selected goes, and so do the groups and notes that a copy of it takes along. */
export function cutSelected(): void {
  const document = activeDocument();
  if (document === undefined) return;
  const ids = selected();
  const frames = alongWith(document, ids);
  if (ids.length + frames.length === 0) return;
  edit((one) => removeFrames(removeNodes(one, ids), frames));
  select([]);
}

/** Paste text; whether it was a workflow. */
export function pasteText(text: string, at: Point | null): boolean {
  const piece = pastedDocument(text);
  if (typeof piece === "string" || activeDocument() === undefined) return false;
  let made: Made = { ids: [], keys: [] };
  edit((document) => {
    const pasted = paste(document, piece, freeSpot(document, piece, at));
    made = pasted;
    return pasted.document;
  });
  select(made.ids, [], made.keys);
  return true;
}

type Made = Pick<Pasted, "ids" | "keys">;

/** Where nothing says where to paste, beside where it came from, unless that is empty. */
function freeSpot(document: Document, piece: Document, at: Point | null): Point | null {
  if (at !== null) return at;
  const here = [...framesOf(document).values()];
  const isThere = ({ x, y }: Point) => here.some((one) => one.x === x && one.y === y);
  const frames = [...framesOf(piece).values()];
  const isTaken = Object.keys(piece.nodes).some((id) => Object.hasOwn(document.nodes, id)) || frames.some(isThere);
  const places = [...Object.keys(piece.nodes).flatMap((id) => positionOf(piece, id) ?? []), ...frames];
  if (isTaken || places.length === 0) return null;
  return { x: Math.min(...places.map(({ x }) => x)), y: Math.min(...places.map(({ y }) => y)) };
}

/** A copy beside each selected node, group and note. Links into the selection come along. */
export function duplicate(): void {
  const ids = selected();
  if (ids.length + selectedFrames().length === 0) return;
  let made: Made = { ids: [], keys: [] };
  edit((document) => {
    const copies = duplicated(document, ids, alongWith(document, ids));
    made = copies;
    return copies.document;
  });
  if (made.ids.length + made.keys.length > 0) select(made.ids, [], made.keys);
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

/** All nodes; on the canvas also groups and notes, which the list does not select. */
export function selectAll(): void {
  const document = activeDocument();
  if (document === undefined) return;
  const frames = useUi.getState().view === "graph" ? [...framesOf(document).keys()] : [];
  select(Object.keys(document.nodes), [], frames);
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
