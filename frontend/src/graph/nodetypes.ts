/** The type of a node of a document: registered, a subgraph's outside, or a placeholder that loses nothing. */

import type { Catalogue, InputSpec, NodeType } from "./catalogue";
import { linksInto, splitPort, splitReference, type Document, type NodeEntry, type SubgraphEntry } from "./document";
import { readType, type SocketType } from "./sockets";
import { widgetOf } from "./widgets";

const ANYTHING: SocketType = { kind: "generic", name: "?" };

export function typeOf(document: Document, id: string, catalogue: Catalogue): NodeType {
  const entry = document.nodes[id];
  if (entry === undefined) throw new RangeError(`there is no node '${id}'`);
  if (entry.type.startsWith("#")) {
    const name = entry.type.slice(1);
    const definition = document.subgraphs?.[name];
    return definition ? outside(name, definition) : placeholder(document, id, entry);
  }
  return catalogue.get(entry.type) ?? placeholder(document, id, entry);
}

/** What a definition looks like from outside. */
export function outside(name: string, definition: SubgraphEntry): NodeType {
  const inputs = Object.entries(definition.inputs ?? {}).map(([input, declared]): InputSpec => {
    const type = readType(declared.type);
    return {
      name: input,
      type,
      required: declared.default === undefined,
      help: declared.help ?? "",
      growing: null,
      widget: widgetOf(type, {}),
      default: declared.default,
    };
  });
  const outputs = Object.entries(definition.outputs ?? {}).map(([output, { type }]) => [output, readType(type)] as const);
  return {
    ...NOTHING,
    id: `#${name}`,
    title: definition.title ?? name,
    category: "Subgraph",
    inputs,
    outputs: Object.fromEntries(outputs),
  };
}

const NOTHING = {
  version: 1,
  help: "",
  pack: "",
  isOutput: false,
  deprecated: null,
  experimental: false,
} as const;

/** What a node of an unknown type shows of itself: the inputs it has, and the outputs that others read. */
function placeholder(document: Document, id: string, entry: NodeEntry): NodeType {
  const read = new Set<string>();
  for (const node of Object.values(document.nodes)) {
    for (const { reference } of linksInto(node)) {
      const { node: source, output } = splitReference(reference);
      if (source === id) read.add(output ?? "output");
    }
  }
  const linked = new Set(linksInto(entry).map(({ port }) => splitPort(port).name));
  const inputs = Object.keys(entry.inputs ?? {}).map(
    (name): InputSpec => ({
      name,
      required: false,
      help: "",
      type: ANYTHING,
      growing: null,
      widget: linked.has(name) ? { kind: "none" } : { kind: "data" },
      default: undefined,
    }),
  );
  return {
    ...NOTHING,
    id: entry.type,
    title: entry.type,
    category: "",
    inputs,
    outputs: Object.fromEntries([...read].map((name) => [name, ANYTHING])),
    isPlaceholder: true,
  };
}

/** The name of the output that a reference means: where it names none, the only one. */
export function outputOf(type: NodeType, output: string | null): string {
  return output ?? Object.keys(type.outputs)[0] ?? "output";
}

export function inputOf(type: NodeType, port: string): InputSpec | undefined {
  const { name } = splitPort(port);
  return type.inputs.find((input) => input.name === name);
}
