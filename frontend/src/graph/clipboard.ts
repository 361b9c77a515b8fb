/** Copy and paste as document text: what is copied is itself a workflow, and any workflow can be pasted. */

import { text as texts } from "../text/en";
import { linksInto, positionOf, readDocument, splitReference, type Document, type NodeEntry, type Point } from "./document";
import { alsoSeen } from "./comments";
import { definitionsUsed } from "./definitions";
import { disconnect, freshId, moveNodes, withNode } from "./edits";
import { copiedFrames, framesOf, pasteFrames } from "./frames";
import { parseJson, printJson } from "./json";
import { ledOver, withWays } from "./reroutes";
import { relink } from "./rewrite";
import { isBoundary } from "./scope";

/** What was made by pasting: nodes by id, groups and notes by key. */
export interface Pasted {
  readonly document: Document;
  readonly ids: string[];
  readonly keys: string[];
}

/** The nodes with the links among them, and some groups and notes, as the text of a document. */
export function copyText(document: Document, ids: readonly string[], keys: readonly string[] = []): string {
  return printJson(fragment(document, ids, keys), 2);
}

export function fragment(document: Document, ids: readonly string[], keys: readonly string[] = []): Document {
  const chosen = new Set(ids.filter((id) => !isBoundary(id)));
  let piece: Document = { nodegraph: 1, nodes: {} };
  for (const id of Object.keys(document.nodes).filter((one) => chosen.has(one))) {
    const entry = document.nodes[id];
    if (entry === undefined) continue;
    piece = withNode(piece, id, entry);
    const outer = linksInto(entry).filter(({ reference }) => !chosen.has(splitReference(reference).node));
    piece = disconnect(piece, outer.map(({ port }) => ({ node: id, port })));
    const place = positionOf(document, id);
    if (place !== null) piece = moveNodes(piece, { [id]: place });
  }
  if (keys.length > 0) piece = { ...piece, view: { ...piece.view, ...copiedFrames(document, keys) } };
  const used = definitionsUsed(document, Object.values(piece.nodes));
  const kept = Object.entries(document.subgraphs ?? {}).filter(([name]) => used.has(name));
  const isInside = (reference: string) => chosen.has(splitReference(reference).node);
  piece = alsoSeen(piece, document, new Map([...chosen].map((id) => [id, id])));
  piece = withWays(piece, ledOver(document.view, (reference) => (isInside(reference) ? reference : null)));
  return kept.length > 0 ? { ...piece, subgraphs: Object.fromEntries(kept) } : piece;
}

/** Paste a fragment: nodes get new ids where theirs are taken, and lie around `at`, or beside their origin. */
export function paste(document: Document, piece: Document, at: Point | null): Pasted {
  // A text that somebody made may hold the border of a subgraph, which no document has twice.
  const nodes = Object.entries(piece.nodes).filter(([id]) => !isBoundary(id));
  const renamed = new Map<string, string>();
  const taken = new Set<string>();
  for (const [id, entry] of nodes) {
    const free = !Object.hasOwn(document.nodes, id) && !taken.has(id);
    const fresh = free ? id : freshId(document, entry.type, taken);
    renamed.set(id, fresh);
    taken.add(fresh);
  }
  const shift = shiftOf(piece, [...renamed.keys()], at);
  let edited = document;
  for (const [id, entry] of nodes) {
    const fresh = renamed.get(id) ?? id;
    edited = withNode(edited, fresh, relinked(entry, renamed));
    const place = positionOf(piece, id) ?? { x: 0, y: 0 };
    edited = moveNodes(edited, { [fresh]: { x: place.x + shift.x, y: place.y + shift.y } });
  }
  edited = alsoSeen(edited, piece, renamed);
  edited = withWays(edited, ledOver(piece.view, (reference) => renamedReference(reference, renamed), shift));
  const subgraphs = { ...piece.subgraphs, ...document.subgraphs };
  if (Object.keys(subgraphs).length > 0) edited = { ...edited, subgraphs };
  const framed = pasteFrames(edited, piece, shift);
  return { ...framed, ids: [...renamed.values()] };
}

/** A copy beside each of some nodes, groups and notes. Links into nodes, also from others, come along. */
export function duplicated(document: Document, ids: readonly string[], keys: readonly string[] = []): Pasted {
  const piece = fragment(document, ids, keys);
  const whole = Object.keys(piece.nodes).flatMap((id) => (document.nodes[id] ? [[id, document.nodes[id]] as const] : []));
  const isEmpty = whole.length === 0 && keys.length === 0;
  return isEmpty ? { document, ids: [], keys: [] } : paste(document, { ...piece, nodes: Object.fromEntries(whole) }, null);
}

/** The document in a text, or the reason in words why there is none. */
export function pastedDocument(text: string): Document | string {
  try {
    return readDocument(parseJson(text));
  } catch {
    return texts.reasons.noJson;
  }
}

function shiftOf(piece: Document, ids: readonly string[], at: Point | null): Point {
  if (at === null) return { x: 40, y: 40 };
  const places: Point[] = [...ids.map((id) => positionOf(piece, id) ?? { x: 0, y: 0 }), ...framesOf(piece).values()];
  if (places.length === 0) return { x: 0, y: 0 };
  const left = Math.min(...places.map(({ x }) => x));
  const top = Math.min(...places.map(({ y }) => y));
  return { x: at.x - left, y: at.y - top };
}

function relinked(entry: NodeEntry, renamed: ReadonlyMap<string, string>): NodeEntry {
  return relink(entry, (reference) => renamedReference(reference, renamed));
}

function renamedReference(reference: string, renamed: ReadonlyMap<string, string>): string {
  const { node, output } = splitReference(reference);
  const fresh = renamed.get(node) ?? node;
  return output === null ? fresh : `${fresh}.${output}`;
}
