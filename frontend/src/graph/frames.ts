/** Groups and notes together with nodes: selected, moved, copied and removed as one. */

import { annotationsOf, changeAnnotation, inside, removeAnnotation, type AnnotationKind, type Box } from "./annotations";
import type { Document, Point } from "./document";
import { estimate } from "./estimate";
import { isObject, type Json, type JsonObject } from "./json";
import type { Scene } from "./scene";

const KINDS: readonly AnnotationKind[] = ["groups", "notes"];
export type Boxes = ReadonlyMap<string, Box>;

/** What a group or a note goes by where both may stand: `groups.1`. */
export function keyOf(kind: AnnotationKind, id: string): string {
  return `${kind}.${id}`;
}

export function splitKey(key: string): { kind: AnnotationKind; id: string } {
  const dot = key.indexOf(".");
  return { kind: key.slice(0, dot) === "notes" ? "notes" : "groups", id: key.slice(dot + 1) };
}

/** Where nodes lie, and how large they are, about. */
export function boxesOf(scene: Scene): Map<string, Box> {
  return new Map([...scene.nodes].map(([id, node]) => [id, { ...node.position, ...estimate(node) }]));
}

/** All groups and notes of a document, by key. */
export function framesOf(document: Document): Map<string, Box> {
  return new Map(KINDS.flatMap((kind) => [...annotationsOf(document, kind)].map(([id, one]) => [keyOf(kind, id), one] as const)));
}

/** What goes with some nodes: what is selected, groups all of whose nodes are among them, and notes in any of these. */
export function companions(document: Document, ids: readonly string[], marked: readonly string[], boxes: Boxes): string[] {
  const chosen = new Set(ids);
  const isWhole = (group: Box) => {
    const members = inside(group, boxes);
    return members.length > 0 && members.every((id) => chosen.has(id));
  };
  const keys = new Set(marked);
  const groups = annotationsOf(document, "groups");
  for (const [id, group] of groups) if (isWhole(group)) keys.add(keyOf("groups", id));
  const taken = [...groups].filter(([id]) => keys.has(keyOf("groups", id))).map(([, group]) => group);
  for (const key of notesIn(document, taken)) keys.add(key);
  return [...keys];
}

function notesIn(document: Document, groups: readonly Box[]): string[] {
  const notes = annotationsOf(document, "notes");
  return groups.flatMap((group) => inside(group, notes).map((id) => keyOf("notes", id)));
}

/** What moves with groups and notes: the nodes and notes that lie in the groups. */
export function contents(document: Document, keys: readonly string[], boxes: Boxes): { nodes: string[]; frames: string[] } {
  const all = annotationsOf(document, "groups");
  const groups = keys.map(splitKey).flatMap(({ kind, id }) => (kind === "groups" ? (all.get(id) ?? []) : []));
  return {
    nodes: [...new Set(groups.flatMap((group) => inside(group, boxes)))],
    frames: [...new Set([...keys, ...notesIn(document, groups)])],
  };
}

/** The group that a node lies in: the smallest, where they lie in each other. */
export function groupsOfNodes(document: Document, boxes: Boxes): Map<string, string> {
  const found = new Map<string, string>();
  const bySize = [...annotationsOf(document, "groups")].sort(([, a], [, b]) => b.width * b.height - a.width * a.height);
  for (const [id, group] of bySize) for (const node of inside(group, boxes)) found.set(node, id);
  return found;
}

/** The keys of what lies in a rectangle with all that it is. */
export function framesWithin(document: Document, { x, y, width, height }: Box): string[] {
  return [...framesOf(document)]
    .filter(([, one]) => one.x >= x && one.y >= y && one.x + one.width <= x + width && one.y + one.height <= y + height)
    .map(([key]) => key);
}

export function removeFrames(document: Document, keys: readonly string[]): Document {
  return keys.map(splitKey).reduce((edited, { kind, id }) => removeAnnotation(edited, kind, id), document);
}

/** Groups and notes somewhere else, by the places that they had. */
export function moveFrames(document: Document, from: Readonly<Record<string, Point>>, by: Point): Document {
  return Object.entries(from).reduce((edited, [key, { x, y }]) => {
    const { kind, id } = splitKey(key);
    return changeAnnotation(edited, kind, id, { x: x + by.x, y: y + by.y });
  }, document);
}

/** A `view` of some groups and notes as they are written, also with what this editor does not know of them. */
export function copiedFrames(document: Document, keys: readonly string[]): JsonObject {
  const view: Record<string, JsonObject> = {};
  for (const { kind, id } of keys.map(splitKey)) {
    const all = document.view?.[kind];
    const one = isObject(all) && annotationsOf(document, kind).has(id) ? all[id] : undefined;
    if (one !== undefined) view[kind] = { ...view[kind], [id]: one };
  }
  return view;
}

/** The groups and notes of another document, with new ids, moved. */
export function pasteFrames(document: Document, piece: Document, shift: Point): { document: Document; keys: string[] } {
  const keys: string[] = [];
  let edited = document;
  for (const kind of KINDS) {
    const written = piece.view?.[kind];
    for (const [id, { x, y }] of annotationsOf(piece, kind)) {
      const one = isObject(written) ? written[id] : undefined;
      const all = edited.view?.[kind];
      const before: JsonObject = isObject(all) ? all : {};
      const fresh = freshNumber(before);
      const moved: Json = { ...(isObject(one) ? one : {}), x: Math.round(x + shift.x), y: Math.round(y + shift.y) };
      edited = { ...edited, view: { ...edited.view, [kind]: { ...before, [fresh]: moved } } };
      keys.push(keyOf(kind, fresh));
    }
  }
  return { document: edited, keys };
}

function freshNumber(taken: JsonObject): string {
  let number = 1;
  while (Object.hasOwn(taken, String(number))) number += 1;
  return String(number);
}
