/** The type of a node of a document: registered, a subgraph's outside, or a placeholder that loses nothing. */

import type { Catalogue, InputSpec, NodeType } from "./catalogue";
import { linksInto, splitPort, splitReference, type Document, type NodeEntry, type SubgraphEntry } from "./document";
import { usableIn } from "./definitions";
import { isBoundaryEntry, NEW, type BoundaryEntry, type DeclaredInput } from "./scope";
import { readType, type SocketType } from "./sockets";
import { isObject } from "./json";
import { widgetOf, type Widget } from "./widgets";

const ANYTHING: SocketType = { kind: "generic", name: "?" };

export function typeOf(document: Document, id: string, catalogue: Catalogue): NodeType {
  const entry = document.nodes[id];
  if (entry === undefined) throw new RangeError(`there is no node '${id}'`);
  if (isBoundaryEntry(entry)) return boundary(entry);
  if (entry.type.startsWith("#")) {
    const name = entry.type.slice(1);
    const definition = document.subgraphs?.[name];
    return definition ? outside(name, definition, document, catalogue) : placeholder(document, id, entry);
  }
  return catalogue.get(entry.type) ?? placeholder(document, id, entry);
}

/** The subgraphs of a document as types of nodes: those that may be used where one is, in a definition or in none. */
export function ownTypes(document: Document, catalogue: Catalogue, open: string | null): NodeType[] {
  return Object.entries(document.subgraphs ?? {})
    .filter(([name]) => usableIn(document, name, open))
    .map(([name, definition]) => outside(name, definition, document, catalogue));
}

const outsides = new WeakMap<SubgraphEntry, { type: NodeType; catalogue: Catalogue }>();

/** What a definition looks like from outside. */
export function outside(name: string, definition: SubgraphEntry, document: Document, catalogue: Catalogue): NodeType {
  const known = outsides.get(definition);
  if (known?.catalogue === catalogue && known.type.id === `#${name}`) return known.type;
  const type = seenFrom(name, definition, document, catalogue);
  outsides.set(definition, { type, catalogue });
  return type;
}

function seenFrom(name: string, definition: SubgraphEntry, document: Document, catalogue: Catalogue): NodeType {
  const inputs = Object.entries(definition.inputs ?? {}).map(([input, declared]) => {
    const own = declaredInput(input, declared);
    const widget = widgetInside(definition, input, document, catalogue);
    // A number has the range, and a prompt the lines, of the input that it is handed on to.
    return widget !== null && own.widget.kind !== "none" ? { ...own, widget } : own;
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

/** The widget of the one input inside that reads an input of a definition. */
function widgetInside(definition: SubgraphEntry, input: string, document: Document, catalogue: Catalogue): Widget | null {
  for (const entry of Object.values(definition.nodes)) {
    const [port] = Object.entries(entry.inputs ?? {}).find(([, value]) => isObject(value) && value.input === input) ?? [];
    if (port === undefined) continue;
    const nested = entry.type.startsWith("#") ? document.subgraphs?.[entry.type.slice(1)] : undefined;
    const type = nested && nested !== definition ? outside(entry.type.slice(1), nested, document, catalogue) : catalogue.get(entry.type);
    return type?.inputs.find(({ name }) => name === port)?.widget ?? null;
  }
  return null;
}

/** An input as a definition declares it. */
export function declaredInput(name: string, declared: DeclaredInput): InputSpec {
  const isSeed = declared.type === SEED;
  const type = isSeed ? WHOLE : readType(declared.type);
  return {
    name,
    type,
    required: declared.default === undefined,
    help: declared.help ?? "",
    growing: null,
    widget: isSeed ? { kind: "seed" } : widgetOf(type, {}),
    default: declared.default,
  };
}

/** The type of an input that is a whole number and may be "random". */
export const SEED = "seed";
const WHOLE: SocketType = { kind: "scalar", name: "int" };

/** The inputs or the outputs of a definition, seen from inside; at the last socket another one begins. */
function boundary(entry: BoundaryEntry): NodeType {
  const declared = Object.entries(entry.declared).map(([name, one]) => declaredInput(name, one));
  const isEntrance = entry.type === "@inputs";
  const types = Object.fromEntries(declared.map(({ name, type }) => [name, type]));
  const open: InputSpec = { ...NEW_INPUT, name: NEW };
  return {
    ...NOTHING,
    id: entry.type,
    title: entry.type,
    category: "Subgraph",
    inputs: isEntrance ? [] : [...declared.map((input) => ({ ...input, widget: NONE, default: undefined })), open],
    outputs: isEntrance ? { ...types, [NEW]: ANYTHING } : {},
  };
}

const NONE = { kind: "none" } as const;
const NEW_INPUT = { required: false, help: "", type: ANYTHING, growing: null, widget: NONE, default: undefined } as const;

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
