/** Links of a document: what is linked, and whether a new link would fit. */

import { text } from "../text/en";
import { assignable, type Classes, type Verdict } from "./assignable";
import type { Catalogue, InputSpec, NodeType } from "./catalogue";
import { linksInto, splitReference, type Document, type Link, type Port } from "./document";
import { substitute, unify, type Solution } from "./generics";
import { inputOf, outputOf, typeOf } from "./nodetypes";
import { NEW } from "./scope";
import { wordsOf, type SocketType } from "./sockets";

export interface Knowledge {
  readonly catalogue: Catalogue;
  readonly classes: Classes;
}

/** All links, in the order of nodes and inputs. Those from nodes that are not there are left out. */
export function linksOf(document: Document, catalogue: Catalogue): Link[] {
  return Object.entries(document.nodes).flatMap(([id, entry]) =>
    linksInto(entry).flatMap(({ port, reference }): Link[] => {
      const { node, output } = splitReference(reference);
      if (!Object.hasOwn(document.nodes, node)) return [];
      const from = { node, port: outputOf(typeOf(document, node, catalogue), output) };
      return [{ from, to: { node: id, port } }];
    }),
  );
}

/** Judge a link from an output to an input, with the reason in words. */
export function judge(document: Document, source: Port, target: Port, known: Knowledge): Verdict {
  if (source.node === target.node) return { ok: false, reason: text.reasons.itself };
  if (source.port === NEW && target.port === NEW) return { ok: false, reason: text.reasons.nothingFlows };
  const given = outputType(document, source, known);
  const type = typeOf(document, target.node, known.catalogue);
  const input = inputOf(type, target.port);
  if (given === null || input === undefined) return { ok: false, reason: text.reasons.noSocket };
  if (input.type.kind === "subgraph") return { ok: false, reason: text.reasons.writtenName };
  const verdict = assignable(given, input.type, known.classes);
  if (!verdict.ok) return verdict;
  const clash = disagreement(document, target, type, input, given, known);
  if (clash !== null) return { ok: false, reason: clash };
  if (isUpstream(document, target.node, source.node)) {
    return { ok: false, reason: text.reasons.circle };
  }
  return verdict;
}

/** The type of an output with type variables solved as far as links tell. */
export function outputType(document: Document, source: Port, known: Knowledge, depth = 0): SocketType | null {
  if (!Object.hasOwn(document.nodes, source.node)) return null;
  const type = typeOf(document, source.node, known.catalogue);
  const declared = type.outputs[source.port];
  if (declared === undefined) return null;
  // A chain of generic nodes is followed a little way; the server follows it to its end.
  if (depth > 8 || !holdsVariable(declared)) return declared;
  return substitute(declared, solutionOf(document, source.node, type, known, depth + 1).solution);
}

function solutionOf(
  document: Document,
  id: string,
  type: NodeType,
  known: Knowledge,
  depth: number,
  except?: string,
): { solution: Solution; clash: string | null } {
  const solution: Solution = {};
  let clash: string | null = null;
  const entry = document.nodes[id];
  for (const { port, reference } of entry ? linksInto(entry) : []) {
    const input = inputOf(type, port);
    const { node, output } = splitReference(reference);
    if (port === except || input === undefined || !Object.hasOwn(document.nodes, node)) continue;
    const from = { node, port: outputOf(typeOf(document, node, known.catalogue), output) };
    const given = outputType(document, from, known, depth);
    if (given !== null) clash ??= unify(input.type, given, solution, known.classes);
  }
  return { solution, clash };
}

function disagreement(
  document: Document,
  target: Port,
  type: NodeType,
  input: InputSpec,
  given: SocketType,
  known: Knowledge,
): string | null {
  if (!holdsVariable(input.type)) return null;
  const { solution } = solutionOf(document, target.node, type, known, 0, target.port);
  return unify(input.type, given, solution, known.classes);
}

function holdsVariable(type: SocketType): boolean {
  if (type.kind === "list" || type.kind === "optional") return holdsVariable(type.item);
  return type.kind === "generic" || (type.kind === "union" && type.options.some(holdsVariable));
}

/** Whether `other` takes part in what `node` is made from, or is the same. */
export function isUpstream(document: Document, other: string, node: string): boolean {
  const seen = new Set<string>([node]);
  const queue = [node];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (id === other) return true;
    const entry = document.nodes[id];
    for (const { reference } of entry ? linksInto(entry) : []) {
      const source = splitReference(reference).node;
      if (!seen.has(source)) {
        seen.add(source);
        queue.push(source);
      }
    }
  }
  return false;
}

/** The first input of a type that a value fits into: one that is required before one that is not. */
export function fittingInput(type: NodeType, given: SocketType, classes: Classes): InputSpec | undefined {
  const fitting = type.inputs.filter(
    (input) => input.type.kind !== "subgraph" && assignable(given, input.type, classes).ok,
  );
  const exact = fitting.filter((input) => input.type.kind !== "generic");
  const order = exact.length > 0 ? exact : fitting;
  return order.find((input) => input.required) ?? order[0];
}

/** The first output of a type that fits into an input. */
export function fittingOutput(type: NodeType, wanted: SocketType, classes: Classes): string | undefined {
  return Object.keys(type.outputs).find((name) => {
    const given = type.outputs[name];
    return given !== undefined && assignable(given, wanted, classes).ok;
  });
}

/** A type in words for tooltips, with its first letter large. */
export function typeTitle(type: SocketType): string {
  const words = wordsOf(type);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
