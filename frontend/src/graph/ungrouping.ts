/** A node that uses a subgraph gives way to the nodes inside it: what runs is the same. */

import { waysOfMembers } from "./borderways";
import { alsoSeen } from "./comments";
import { countUses, removeDefinition } from "./definitions";
import { positionOf, splitReference, type Document, type InputEntry, type NodeEntry } from "./document";
import { freshId, moveNodes, removeNodes, withNode } from "./edits";
import { isObject, type Json } from "./json";
import { placesIn } from "./members";
import { mapEntries, mapValues, relink } from "./rewrite";
import { ledOver, withWays } from "./reroutes";
import { definitionOf, isBoundary } from "./scope";

export interface Ungrouped {
  readonly document: Document;
  readonly ids: readonly string[];
}

/** Put the nodes of its subgraph in the place of a node. Null where the node uses none. */
export function ungroup(document: Document, id: string): Ungrouped | null {
  const call = document.nodes[id];
  const name = call?.type.startsWith("#") ? call.type.slice(1) : null;
  const definition = name === null ? undefined : definitionOf(document, name);
  if (call === undefined || name === null || definition === undefined) return null;
  const renamed = freshIds(document, Object.keys(definition.nodes), id);
  const source = (output: string | null) => {
    const shown = output === null ? Object.values(definition.outputs ?? {})[0] : definition.outputs?.[output];
    return shown ? followed(shown.from, renamed) : null;
  };
  let edited = document;
  for (const [inner, entry] of Object.entries(definition.nodes)) {
    const given = (input: string): Json | undefined => call.inputs?.[input] ?? definition.inputs?.[input]?.default;
    const made = { ...placed(entry, renamed, given), ...(call.mode ? { mode: call.mode } : {}) };
    edited = withNode(edited, renamed.get(inner) ?? inner, made);
  }
  edited = relinked(edited, id, source);
  edited = { ...edited, ...namedFrom(edited, id, renamed, definition.nodes, source) };
  const { found, shift } = places(document, id, name, renamed);
  const inner = (reference: string) => (isBoundary(splitReference(reference).node) ? null : followed(reference, renamed));
  edited = withWays(moveNodes(removeNodes(edited, [id]), found), ledOver(definition.view, inner, shift));
  edited = withWays(edited, waysOfMembers(document, id, (place) => placesInside(place, id, renamed, definition.nodes), source));
  edited = alsoSeen(edited, definition, renamed);
  if (countUses(edited, name) === 0) edited = removeDefinition(edited, name);
  return { document: edited, ids: [...renamed.values()] };
}

function freshIds(document: Document, inner: readonly string[], call: string): Map<string, string> {
  const taken = new Set<string>();
  return new Map(
    inner.map((id) => {
      const isFree = !taken.has(id) && (id === call || !Object.hasOwn(document.nodes, id)) && id !== call;
      const fresh = isFree ? id : freshId(document, id, taken);
      taken.add(fresh);
      return [id, fresh] as const;
    }),
  );
}

function followed(reference: string, renamed: ReadonlyMap<string, string>): string {
  const { node, output } = splitReference(reference);
  const fresh = renamed.get(node) ?? node;
  return output === null ? fresh : `${fresh}.${output}`;
}

/** An entry of the definition, with links among the new ids, and what the node was given for the inputs it reads. */
function placed(
  entry: NodeEntry,
  renamed: ReadonlyMap<string, string>,
  given: (input: string) => Json | undefined,
): NodeEntry {
  return mapValues(entry, (value) => {
    if (!isObject(value) || Object.keys(value).length !== 1) return value;
    if (typeof value.input === "string") return given(value.input);
    return typeof value.from === "string" ? { from: followed(value.from, renamed) } : value;
  });
}

/** Whoever read the node reads what is inside. */
function relinked(document: Document, id: string, source: (output: string | null) => string | null): Document {
  const follow = (reference: string) => {
    const { node, output } = splitReference(reference);
    return node === id ? source(output) : reference;
  };
  return { ...document, nodes: mapEntries(document.nodes, (entry) => relink(entry, follow)) };
}

/** Named inputs feed what reads them inside, and named outputs show what is inside. */
function namedFrom(
  document: Document,
  id: string,
  renamed: ReadonlyMap<string, string>,
  nodes: Readonly<Record<string, NodeEntry>>,
  source: (output: string | null) => string | null,
): Pick<Document, "inputs" | "outputs"> {
  const inputs = Object.entries(document.inputs ?? {}).map(([name, input]): [string, InputEntry] => [
    name,
    { ...input, to: input.to.flatMap((place) => placesInside(place, id, renamed, nodes)) },
  ]);
  const outputs = Object.entries(document.outputs ?? {}).map(([name, output]) => {
    const { node, output: port } = splitReference(output.from);
    return [name, node === id ? { ...output, from: source(port) ?? output.from } : output] as const;
  });
  return {
    ...(document.inputs ? { inputs: Object.fromEntries(inputs) } : {}),
    ...(document.outputs ? { outputs: Object.fromEntries(outputs) } : {}),
  };
}

function placesInside(
  place: string,
  id: string,
  renamed: ReadonlyMap<string, string>,
  nodes: Readonly<Record<string, NodeEntry>>,
): string[] {
  const { node, output: port } = splitReference(place);
  if (node !== id) return [place];
  return Object.entries(nodes).flatMap(([inner, entry]) =>
    placesIn(entry)
      .filter(({ value }) => isObject(value) && Object.keys(value).length === 1 && value.input === port)
      .map((found) => `${renamed.get(inner) ?? inner}.${found.port}`),
  );
}

/** The nodes lie as they did inside, around the place of the node that they replace. */
function places(document: Document, id: string, name: string, renamed: ReadonlyMap<string, string>) {
  const own = positionOf(document, id) ?? { x: 0, y: 0 };
  const view = { nodegraph: 1, nodes: {}, view: definitionOf(document, name)?.view ?? {} } as const;
  const inner = [...renamed].map(([old, fresh], index) => {
    const at = positionOf(view, old) ?? { x: (index % 4) * 320, y: Math.floor(index / 4) * 320 };
    return [fresh, at] as const;
  });
  const left = Math.min(...inner.map(([, { x }]) => x));
  const right = Math.max(...inner.map(([, { x }]) => x));
  const top = Math.min(...inner.map(([, { y }]) => y));
  const bottom = Math.max(...inner.map(([, { y }]) => y));
  const shift = { x: own.x - (left + right) / 2, y: own.y - (top + bottom) / 2 };
  const found = Object.fromEntries(inner.map(([fresh, { x, y }]) => [fresh, { x: x + shift.x, y: y + shift.y }]));
  return { found, shift };
}
