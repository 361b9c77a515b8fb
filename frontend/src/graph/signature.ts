/** What a definition takes and gives: other names and order, and an end to inputs and outputs, with all that refers to them. */

import { changeDefinition } from "./definitions";
import { splitReference, type Document, type InputEntry, type NodeEntry, type SubgraphEntry } from "./document";
import { isObject, type Json, type JsonObject } from "./json";
import { mapEntries, mapValues, relink, renameKey, without } from "./rewrite";
import { waysFollow } from "./reroutes";
import { definitionOf, ENTRANCE, EXIT } from "./scope";

/** Another name for an input: inside, and at every node that uses the definition. */
export function renameInput(document: Document, name: string, from: string, to: string): Document {
  const definition = definitionOf(document, name);
  if (definition?.inputs === undefined || from === to || Object.hasOwn(definition.inputs, to)) return document;
  const renamed = changeDefinition(document, name, (one) => ({
    ...waysFollow(one, (reference) => (reference === `${ENTRANCE}.${from}` ? `${ENTRANCE}.${to}` : reference)),
    inputs: renameKey(one.inputs ?? {}, from, to),
    nodes: mapEntries(one.nodes, (entry) => mapValues(entry, (value) => (readsInput(value, from) ? { input: to } : value))),
  }));
  return mapScopes(renamed, (scope) => {
    const callers = callersIn(scope.nodes, name);
    const follow = (reference: string): string => {
      const { node, output: port } = splitReference(reference);
      return callers.has(node) && port === from ? `${node}.${to}` : reference;
    };
    return {
      ...waysFollow(scope, follow),
      nodes: mapEntries(scope.nodes, (entry, id) =>
        callers.has(id) && entry.inputs ? { ...entry, inputs: renameKey(entry.inputs, from, to) } : entry,
      ),
      ...(scope.inputs ? { inputs: mapPlaces(scope.inputs, callers, from, to) } : {}),
    };
  });
}

/** Take an input away: what read it inside goes back to its default, what was given to it is dropped. */
export function removeInput(document: Document, name: string, input: string): Document {
  const removed = changeDefinition(document, name, (one) => ({
    ...one,
    inputs: without(one.inputs ?? {}, input),
    nodes: mapEntries(one.nodes, (entry) => mapValues(entry, (value) => (readsInput(value, input) ? undefined : value))),
  }));
  return mapScopes(removed, (scope) => {
    const callers = callersIn(scope.nodes, name);
    return {
      ...scope,
      nodes: mapEntries(scope.nodes, (entry, id) =>
        callers.has(id) && entry.inputs ? { ...entry, inputs: without(entry.inputs, input) } : entry,
      ),
      ...(scope.inputs ? { inputs: mapPlaces(scope.inputs, callers, input, null) } : {}),
    };
  });
}

/** Another name for an output; null takes it away, with all links from it. */
export function renameOutput(document: Document, name: string, from: string, to: string | null): Document {
  const definition = definitionOf(document, name);
  const outputs = definition?.outputs;
  if (outputs === undefined || from === to || (to !== null && Object.hasOwn(outputs, to))) return document;
  const isOnly = Object.keys(outputs).length === 1;
  const renamed = changeDefinition(document, name, (one) => ({
    ...waysFollow(one, (reference) => (reference === `${EXIT}.${from}` ? to && `${EXIT}.${to}` : reference)),
    outputs: to === null ? without(outputs, from) : renameKey(outputs, from, to),
  }));
  return mapScopes(renamed, (scope) => {
    const callers = callersIn(scope.nodes, name);
    const follow = (reference: string): string | null => {
      const { node, output } = splitReference(reference);
      if (!callers.has(node) || (output ?? (isOnly ? from : null)) !== from) return reference;
      return to === null ? null : `${node}.${to}`;
    };
    return { ...waysFollow(scope, follow), nodes: mapEntries(scope.nodes, (entry) => relink(entry, follow)), ...relinkOutputs(scope, follow) };
  });
}

/** Put an input or output elsewhere in the order. */
export function moveDeclared(document: Document, name: string, kind: "inputs" | "outputs", one: string, by: 1 | -1): Document {
  return changeDefinition(document, name, (definition) => {
    const order = Object.entries(definition[kind] ?? {});
    const index = order.findIndex(([key]) => key === one);
    const [moved] = order.splice(index, 1);
    if (moved === undefined || index + by < 0 || index + by > order.length) return definition;
    order.splice(index + by, 0, moved as never);
    return { ...definition, [kind]: Object.fromEntries(order) };
  });
}

/** The document's own nodes, or those of a definition, with what refers to them. */
interface Scope {
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  readonly inputs?: Readonly<Record<string, InputEntry>>;
  readonly outputs?: Readonly<Record<string, { readonly from: string }>>;
  readonly view?: Readonly<JsonObject>;
}

function mapScopes(document: Document, change: (scope: Scope) => Scope): Document {
  const subgraphs = Object.entries(document.subgraphs ?? {}).map(([name, definition]) => {
    const { outputs: shown, view: seen } = definition;
    const scope = { nodes: definition.nodes, ...(shown ? { outputs: shown } : {}), ...(seen ? { view: seen } : {}) };
    const { nodes, outputs, view } = change(scope);
    return [name, { ...definition, nodes, ...(outputs ? { outputs } : {}), ...(view ? { view } : {}) } as SubgraphEntry] as const;
  });
  return { ...document, ...change(document), subgraphs: Object.fromEntries(subgraphs) };
}

function callersIn(nodes: Readonly<Record<string, NodeEntry>>, name: string): Set<string> {
  return new Set(Object.keys(nodes).filter((id) => nodes[id]?.type === `#${name}`));
}

function mapPlaces(
  inputs: Readonly<Record<string, InputEntry>>,
  callers: ReadonlySet<string>,
  from: string,
  to: string | null,
): Record<string, InputEntry> {
  const places = (place: string): string[] => {
    const { node, output } = splitReference(place);
    if (!callers.has(node) || output !== from) return [place];
    return to === null ? [] : [`${node}.${to}`];
  };
  return Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, { ...input, to: input.to.flatMap(places) }]));
}

function relinkOutputs({ outputs }: Scope, follow: (reference: string) => string | null): Pick<Scope, "outputs"> {
  if (outputs === undefined) return {};
  const kept = Object.entries(outputs).flatMap(([key, output]) => {
    const from = follow(output.from);
    return from === null ? [] : [[key, { ...output, from }] as const];
  });
  return { outputs: Object.fromEntries(kept) };
}

function readsInput(value: Json, name: string): boolean {
  return isObject(value) && Object.keys(value).length === 1 && value.input === name;
}
