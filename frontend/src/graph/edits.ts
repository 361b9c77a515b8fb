/** Edits: each takes a document and gives another, sharing all that did not change. */

import type { NodeType } from "./catalogue";
import {
  asLiteral,
  linkOf,
  linksInto,
  positionOf,
  splitPort,
  splitReference,
  type Document,
  type NodeEntry,
  type Point,
  type Port,
} from "./document";
import { withoutComments } from "./comments";
import { isObject, type Json, type JsonObject } from "./json";
import { portOf, stepsOf, withValueAt } from "./members";
import { freshName, plainName } from "./names";
import { movedAlong, straightened, waysFollow, withoutWay } from "./reroutes";
import { isBoundary } from "./scope";
import { firstValue } from "./widgets";

/** A new id for a node of a type: its last word, numbered where it is taken. */
export function freshId(document: Document, type: string, taken: ReadonlySet<string> = new Set()): string {
  const word = type.replace(/^#/, "").split(".").at(-1) ?? "node";
  return freshName(plainName(word, "node"), (id) => Object.hasOwn(document.nodes, id) || taken.has(id));
}

/** Add a node with what its type needs to begin with. */
export function addNode(document: Document, type: NodeType, at: Point): { document: Document; id: string } {
  const id = freshId(document, type.id);
  const inputs: JsonObject = {};
  for (const input of type.inputs) {
    const value = input.growing === null ? (input.default ?? (input.required ? firstValue(input.widget) : undefined)) : undefined;
    if (value !== undefined && value !== null) inputs[input.name] = asLiteral(value);
  }
  const entry: NodeEntry = { type: type.id, inputs, ...(type.version > 1 ? { version: type.version } : {}) };
  return { document: moveNodes(withNode(document, id, entry), { [id]: at }), id };
}

export function withNode(document: Document, id: string, entry: NodeEntry): Document {
  return { ...document, nodes: { ...document.nodes, [id]: entry } };
}

/** Change one node. A node that is not there stays away. */
export function changeNode(document: Document, id: string, change: (entry: NodeEntry) => NodeEntry): Document {
  const entry = document.nodes[id];
  return entry === undefined ? document : withNode(document, id, change(entry));
}

/** Set a literal or a link at an input or a member; `undefined` takes it away. */
export function setInput(document: Document, { node, port }: Port, value: Json | undefined): Document {
  const { name, member } = splitPort(port);
  const isTaken = value === undefined && typeof member === "number";
  const straight = linkOf(value) === null ? withoutWay(document, { node, port }) : document;
  return changeNode(isTaken ? closedUp(straight, node, name, member) : straight, node, (entry) => {
    if (stepsOf(port).steps.length > 1) return value === undefined ? entry : withValueAt(entry, port, value);
    const inputs = entry.inputs ?? {};
    const next = member === null ? value : withMember(inputs[name], member, value);
    return { ...entry, inputs: next === undefined ? without(inputs, new Set([name])) : { ...inputs, [name]: next } };
  });
}

/** Named inputs and way points when a member leaves a list: they are those of the same values as before, which move up. */
function closedUp(document: Document, node: string, name: string, gone: number): Document {
  const follow = (place: string): string[] => {
    const { node: fed, output: port } = splitReference(place);
    const { name: list, steps } = stepsOf(port ?? "");
    const [index, ...rest] = steps;
    if (fed !== node || list !== name || typeof index !== "number" || index < gone) return [place];
    return index === gone ? [] : [`${node}.${portOf(name, [index - 1, ...rest])}`];
  };
  const led = waysFollow(document, (place) => follow(place)[0] ?? null);
  if (document.inputs === undefined) return led;
  const inputs = Object.entries(document.inputs).map(([key, input]) => [key, { ...input, to: input.to.flatMap(follow) }] as const);
  const left = inputs.filter(([key, { to }]) => to.length > 0 || document.inputs?.[key]?.to.length === 0);
  return { ...led, inputs: Object.fromEntries(left) };
}

/** A growing input with one member set, or taken out; undefined where none is left. */
function withMember(grown: Json | undefined, member: number | string, value: Json | undefined): Json | undefined {
  if (typeof member === "number") {
    const items = Array.isArray(grown) ? [...grown] : [];
    if (value === undefined) items.splice(member, 1);
    else if (member < items.length) items[member] = value;
    else items.push(value);
    return items.length > 0 ? items : undefined;
  }
  const before: JsonObject = isObject(grown) && linkOf(grown) === null ? grown : {};
  const named = value === undefined ? without(before, new Set([member])) : { ...before, [member]: value };
  return Object.keys(named).length > 0 ? named : undefined;
}

/** Link an output to an input. A link that was there is replaced. */
export function connect(document: Document, source: Port, target: Port, onlyOutput: boolean): Document {
  const from = onlyOutput ? source.node : `${source.node}.${source.port}`;
  return setInput(document, target, { from });
}

/** Take links away; an input that has a default goes back to it. */
export function disconnect(document: Document, targets: readonly Port[]): Document {
  // Members from the last to the first, so that the places of the others hold.
  const ordered = [...targets].sort((a, b) => (splitPort(b.port).member ?? 0) > (splitPort(a.port).member ?? 0) ? 1 : -1);
  return ordered.reduce((edited, target) => setInput(edited, target, undefined), document);
}

/** Remove nodes with all that refers to them: links, named inputs and outputs, places. */
export function removeNodes(document: Document, ids: readonly string[]): Document {
  const gone = new Set(ids.filter((id) => Object.hasOwn(document.nodes, id) && !isBoundary(id)));
  if (gone.size === 0) return document;
  let edited = document;
  for (const [id, entry] of Object.entries(document.nodes)) {
    if (gone.has(id)) continue;
    const lost = linksInto(entry).filter(({ reference }) => gone.has(splitReference(reference).node));
    edited = disconnect(edited, lost.map(({ port }) => ({ node: id, port })));
  }
  const nodes = without(edited.nodes, gone);
  const inputs = Object.entries(edited.inputs ?? {})
    .map(([name, input]) => [name, { ...input, to: input.to.filter((to) => !gone.has(splitReference(to).node)) }] as const)
    .filter(([name, input]) => input.to.length > 0 || edited.inputs?.[name]?.to.length === 0);
  const outputs = Object.entries(edited.outputs ?? {}).filter(([, { from }]) => !gone.has(splitReference(from).node));
  edited = withoutComments(straightened(edited, gone), gone);
  return {
    ...edited,
    nodes,
    ...(edited.inputs ? { inputs: Object.fromEntries(inputs) } : {}),
    ...(edited.outputs ? { outputs: Object.fromEntries(outputs) } : {}),
    ...withPlaces(edited, (places) => without(places, gone)),
  };
}

/** Put nodes somewhere else. Links whose ends both move, and by the same, take their way points along. */
export function moveNodes(document: Document, to: Readonly<Record<string, Point>>): Document {
  const moved = Object.fromEntries(
    Object.entries(to).map(([id, point]) => [id, { x: Math.round(point.x), y: Math.round(point.y) }]),
  );
  const moves = Object.entries(moved).flatMap(([id, { x, y }]) => {
    const before = positionOf(document, id);
    return before === null ? [] : [[id, { x: x - before.x, y: y - before.y }] as const];
  });
  const led = movedAlong(document, new Map(moves));
  return { ...led, ...withPlaces(led, (places) => ({ ...places, ...moved })) };
}

export function setMode(document: Document, ids: readonly string[], mode: "bypass" | "mute" | null): Document {
  return ids.filter((id) => !isBoundary(id)).reduce(
    (edited, id) =>
      changeNode(edited, id, ({ mode: _, ...entry }) => (mode === null ? entry : { ...entry, mode })),
    document,
  );
}

export function setTitle(document: Document, id: string, title: string): Document {
  return changeNode(document, id, ({ title: _, ...entry }) => (title === "" ? entry : { ...entry, title }));
}

function withPlaces(document: Document, change: (places: JsonObject) => JsonObject): { view: JsonObject } {
  const places = document.view?.nodes;
  return { view: { ...document.view, nodes: change(isObject(places) ? places : {}) } };
}

function without<T>(record: Readonly<Record<string, T>>, gone: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !gone.has(key)));
}
