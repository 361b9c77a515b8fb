/** Links to the border of a subgraph, seen from inside: at its last socket they make another input or output. */

import { linkOf, splitPort, type Document, type Port } from "./document";
import { connect, setInput, withNode } from "./edits";
import type { Json } from "./json";
import { outputType, type Knowledge } from "./links";
import { freshName, plainName } from "./names";
import { inputOf, SEED, typeOf } from "./nodetypes";
import { ENTRANCE, EXIT, isBoundaryEntry, NEW, type BoundaryEntry, type DeclaredInput } from "./scope";
import { writeType } from "./sockets";

/** Link an output to an input, also at the border. */
export function join(document: Document, from: Port, to: Port, known: Knowledge): Document {
  if (to.node === EXIT && to.port === NEW) return withOutput(document, from, known);
  if (from.node === ENTRANCE && from.port === NEW) return withInput(document, to, known);
  const outputs = Object.keys(typeOf(document, from.node, known.catalogue).outputs);
  return connect(document, from, to, outputs.length === 1);
}

/** Another output of the subgraph, which shows an output inside. */
function withOutput(document: Document, from: Port, known: Knowledge): Document {
  const exit = document.nodes[EXIT];
  const type = outputType(document, from, known);
  if (!isBoundaryEntry(exit) || type === null) return document;
  const name = freshDeclared(exit, from.port);
  const declared = declare(document, EXIT, exit, name, { type: writeType(type) });
  return setInput(declared, { node: EXIT, port: name }, { from: `${from.node}.${from.port}` });
}

/** Another input of the subgraph, which feeds an input inside. What was written there becomes its default. */
export function withInput(document: Document, to: Port, known: Knowledge): Document {
  const entrance = document.nodes[ENTRANCE];
  const input = inputOf(typeOf(document, to.node, known.catalogue), to.port);
  if (!isBoundaryEntry(entrance) || input === undefined) return document;
  const { name: port, member } = splitPort(to.port);
  const written = member === null ? document.nodes[to.node]?.inputs?.[port] : undefined;
  const value = written === undefined || linkOf(written) !== null ? input.default : written;
  const type: Json = input.widget.kind === "seed" ? SEED : writeType(input.type);
  const name = freshDeclared(entrance, typeof member === "string" ? member : port);
  const isGiven = value !== undefined && value !== null;
  const declared = declare(document, ENTRANCE, entrance, name, { type, ...(isGiven ? { default: value } : {}) });
  return setInput(declared, to, { from: `${ENTRANCE}.${name}` });
}

function declare(document: Document, id: string, entry: BoundaryEntry, name: string, declared: DeclaredInput): Document {
  const changed: BoundaryEntry = { ...entry, declared: { ...entry.declared, [name]: declared } };
  return withNode(document, id, changed);
}

function freshDeclared({ declared }: BoundaryEntry, wanted: string): string {
  return freshName(plainName(wanted, "value"), (name) => Object.hasOwn(declared, name));
}
