/** A node put into a link: between what gives and what takes. */

import { join } from "./border";
import type { InputSpec, NodeType } from "./catalogue";
import type { Document, Link } from "./document";
import { judge, type Knowledge } from "./links";
import { typeOf } from "./nodetypes";

/** Where a link into an input ends: at the first member of one that grows. */
export function firstPort({ name, growing }: InputSpec): string {
  if (growing === "list") return `${name}[0]`;
  return growing === "named" ? `${name}.a` : name;
}

/** The document with a node, which stands in it unlinked, put into a link; null where its types do not fit there. */
export function inserted(document: Document, node: string, { from, to }: Link, known: Knowledge): Document | null {
  const type = typeOf(document, node, known.catalogue);
  for (const input of byFitness(type)) {
    const entry = { node, port: firstPort(input) };
    if (!judge(document, from, entry, known).ok) continue;
    const fed = join(document, from, entry, known);
    // An output that says what it is comes before one that may be anything.
    const outputs = Object.keys(type.outputs).sort((a, b) => Number(isLoose(type, a)) - Number(isLoose(type, b)));
    const exit = outputs.find((port) => judge(fed, { node, port }, to, known).ok);
    if (exit !== undefined) return join(fed, { node, port: exit }, to, known);
  }
  return null;
}

/** Inputs in the order in which they are tried: those that only a link can feed first. */
function byFitness(type: NodeType): InputSpec[] {
  const weight = (input: InputSpec) => (input.type.kind === "generic" ? 4 : 0) + (input.widget.kind === "none" ? 0 : 2) + (input.required ? 0 : 1);
  return [...type.inputs].sort((a, b) => weight(a) - weight(b));
}

function isLoose(type: NodeType, output: string): boolean {
  return type.outputs[output]?.kind === "generic";
}
