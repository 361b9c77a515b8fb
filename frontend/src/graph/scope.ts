/** The inside of a subgraph as a document of its own, so that every edit works there as it does outside.

A definition's inputs stand there as a node with outputs (`@in`), its outputs as a node with inputs (`@out`): `{"input": "x"}`
is shown as a link from `@in.x`. No node of a document can have such an id.
*/

import { linkOf, splitReference, type Document, type NodeEntry, type SubgraphEntry } from "./document";
import { isObject, sameJson, type Json, type JsonObject } from "./json";
import { mapValues } from "./rewrite";

export const ENTRANCE = "@in";
export const EXIT = "@out";
/** The socket of either where another input or output begins. */
export const NEW = "+";
/** What an output shows whose link was taken off: a node that no document has. */
const UNLINKED = "unlinked";

export interface DeclaredInput {
  readonly type: Json;
  readonly default?: Json;
  readonly help?: string;
}

/** The node that stands for the inputs or the outputs, with what is declared of them. */
export interface BoundaryEntry extends NodeEntry {
  readonly type: "@inputs" | "@outputs";
  readonly declared: Readonly<Record<string, DeclaredInput>>;
}

export function isBoundary(id: string): boolean {
  return id === ENTRANCE || id === EXIT;
}

export function isBoundaryEntry(entry: NodeEntry | undefined): entry is BoundaryEntry {
  return entry?.type === "@inputs" || entry?.type === "@outputs";
}

const scopes = new WeakMap<Document, Map<string, Document>>();

/** A definition as a document, or null if there is none of that name. The same one for the same document. */
export function inside(document: Document, name: string): Document | null {
  const definition = definitionOf(document, name);
  if (definition === undefined) return null;
  const known = scopes.get(document) ?? new Map<string, Document>();
  scopes.set(document, known);
  const scope = known.get(name) ?? scopeOf(document, definition);
  known.set(name, scope);
  return scope;
}

export function definitionOf(document: Document, name: string): SubgraphEntry | undefined {
  return document.subgraphs && Object.hasOwn(document.subgraphs, name) ? document.subgraphs[name] : undefined;
}

function scopeOf(document: Document, definition: SubgraphEntry): Document {
  const nodes = Object.entries(definition.nodes).map(([id, entry]) => [id, entered(entry)] as const);
  return {
    nodegraph: 1,
    nodes: { [ENTRANCE]: entrance(definition), ...Object.fromEntries(nodes), [EXIT]: exit(definition) },
    subgraphs: document.subgraphs ?? {},
    view: definition.view ?? {},
  };
}

const entrances = new WeakMap<object, BoundaryEntry>();
const exits = new WeakMap<object, BoundaryEntry>();
const NOTHING = {};

function entrance({ inputs = NOTHING }: SubgraphEntry): BoundaryEntry {
  const made = entrances.get(inputs) ?? { type: "@inputs", declared: inputs };
  entrances.set(inputs, made);
  return made;
}

function exit({ outputs = NOTHING, nodes }: SubgraphEntry): BoundaryEntry {
  const shown = Object.entries(outputs).filter(([, { from }]) => Object.hasOwn(nodes, splitReference(from).node));
  const inputs: JsonObject = Object.fromEntries(shown.map(([name, { from }]) => [name, { from }]));
  const known = exits.get(outputs);
  // What an output shows may have come or gone without a change of the output.
  if (known && sameJson(known.inputs, inputs)) return known;
  const declared = Object.fromEntries(Object.entries(outputs).map(([name, { from: _, ...rest }]) => [name, rest]));
  const made: BoundaryEntry = { type: "@outputs", inputs, declared };
  exits.set(outputs, made);
  return made;
}

/** The document with what was made of the inside of a definition. */
export function putBack(document: Document, name: string, scope: Document): Document {
  const before = definitionOf(document, name);
  if (before === undefined || scope === inside(document, name)) return document;
  const { [ENTRANCE]: inputs, [EXIT]: outputs, ...nodes } = scope.nodes;
  const definition: SubgraphEntry = {
    ...before,
    inputs: isBoundaryEntry(inputs) ? inputs.declared : {},
    outputs: isBoundaryEntry(outputs) ? outputsOf(outputs, before, nodes) : {},
    nodes: Object.fromEntries(Object.entries(nodes).map(([id, entry]) => [id, left(entry)])),
    view: scope.view ?? {},
  };
  return { ...document, subgraphs: { ...scope.subgraphs, [name]: definition } };
}

function outputsOf(
  exit: BoundaryEntry,
  before: SubgraphEntry,
  nodes: Readonly<Record<string, NodeEntry>>,
): NonNullable<SubgraphEntry["outputs"]> {
  const outputs = Object.fromEntries(
    Object.entries(exit.declared).map(([name, declared]) => {
      // What was shown by a node that is gone stays written, and is told as a problem.
      const last = before.outputs?.[name]?.from ?? UNLINKED;
      const lost = Object.hasOwn(nodes, splitReference(last).node) ? UNLINKED : last;
      return [name, { ...declared, from: linkOf(exit.inputs?.[name]) ?? lost }];
    }),
  );
  exits.set(outputs, exit);
  return outputs;
}

/** Entries as they are seen inside, and back: the same object for the same entry, so that nothing redraws. */
const seen = new WeakMap<NodeEntry, NodeEntry>();
const written = new WeakMap<NodeEntry, NodeEntry>();

function entered(entry: NodeEntry): NodeEntry {
  const known = seen.get(entry);
  if (known) return known;
  const made = mapValues(entry, (value) =>
    isObject(value) && Object.keys(value).length === 1 && typeof value.input === "string"
      ? { from: `${ENTRANCE}.${value.input}` }
      : value,
  );
  seen.set(entry, made);
  written.set(made, entry);
  return made;
}

function left(entry: NodeEntry): NodeEntry {
  const known = written.get(entry);
  if (known) return known;
  const made = mapValues(entry, (value) => {
    const reference = linkOf(value);
    const source = reference === null ? null : splitReference(reference);
    return source?.node === ENTRANCE ? { input: source.output ?? "" } : value;
  });
  written.set(entry, made);
  seen.set(made, entry);
  return made;
}

/** A change of a workflow and of the inside of each of its subgraphs. */
export function everywhere(document: Document, change: (scope: Document, name: string | null) => Document): Document {
  return Object.keys(document.subgraphs ?? {}).reduce((edited, name) => {
    const scope = inside(edited, name);
    return scope === null ? edited : putBack(edited, name, change(scope, name));
  }, change(document, null));
}
