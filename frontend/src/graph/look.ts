/** A look at a value: a copy of the workflow with one more node, which says what the value is. */

import { linksInto, literalOf, splitReference, type Document, type Port } from "./document";
import { freshId, setInput, withNode } from "./edits";
import { placesOf } from "./interface";
import type { Json, JsonObject } from "./json";
import { outputType, type Knowledge } from "./links";
import { valueAt } from "./members";
import { outputOf, typeOf } from "./nodetypes";
import { definitionOf } from "./scope";
import { ungroup } from "./ungrouping";
import { RANDOM } from "./widgets";

export const INSPECT = "value.inspect";

export interface LookDocument {
  readonly document: Document;
  /** The node that looks: the one target of the run. */
  readonly node: string;
}

/** The copy that looks at an output. It has a name of its own, so that plans do not take it for a run of the workflow. */
export function lookDocument(document: Document, port: Port, model: string | null = null): LookDocument {
  const node = freshId(document, INSPECT);
  const copy = withNode(document, node, { type: INSPECT, inputs: lookInputs(port, model) });
  return { node, document: { ...copy, name: lookName(document), outputs: { words: { from: node } } } };
}

export function lookInputs(port: Port, model: string | null): JsonObject {
  return { value: { from: `${port.node}.${port.port}` }, ...(model === null ? {} : { model: { from: model } }) };
}

export const lookName = ({ name = "" }: Document) => `${name} (look)`;

/** The document with the nodes of the subgraphs that were entered in the place of those that use them: it means the same.

Null where that cannot be: inside a loop there is a value for each iteration, and at the border there is none of its own.
*/
export function opened(document: Document, through: readonly string[], port: Port): { document: Document; port: Port } | null {
  let edited = document;
  let here = through;
  let { node } = port;
  while (here.length > 0) {
    const [call = "", ...rest] = here;
    const name = edited.nodes[call]?.type.slice(1) ?? "";
    const names = Object.keys(definitionOf(edited, name)?.nodes ?? {});
    const taken = ungroup(edited, call);
    if (taken === null) return null;
    const fresh = new Map(names.map((id, index) => [id, taken.ids[index] ?? id]));
    edited = taken.document;
    here = rest.length > 0 ? [fresh.get(rest[0] ?? "") ?? "", ...rest.slice(1)] : [];
    if (rest.length === 0) node = fresh.get(node) ?? "";
  }
  return Object.hasOwn(edited.nodes, node) ? { document: edited, port: { node, port: port.port } } : null;
}

/** The model whose latents an output holds, as a reference: the nearest one upstream. Null for other values. */
export function modelOf(document: Document, port: Port, known: Knowledge): string | null {
  const type = outputType(document, port, known);
  if (type?.kind !== "value" || type.name !== "latent") return null;
  const seen = new Set([port.node]);
  for (const id of seen) {
    // What is added to a set while it is walked is visited too: breadth first.
    for (const { reference } of linksInto(document.nodes[id] ?? { type: "" })) {
      const { node, output } = splitReference(reference);
      if (!Object.hasOwn(document.nodes, node)) continue;
      const source = typeOf(document, node, known.catalogue);
      const given = source.outputs[outputOf(source, output)];
      if (given?.kind === "value" && given.name === "model") return reference;
      seen.add(node);
    }
  }
  return null;
}

/** The workflow with the seeds that a run drew, where named inputs tell them: a look is at that run's values. */
export function withSeedsOf(document: Document, inputs: Readonly<Record<string, unknown>>): Document {
  return Object.keys(document.inputs ?? {}).reduce((edited, name) => {
    const drawn = inputs[name];
    if (typeof drawn !== "number" && typeof drawn !== "bigint") return edited;
    const places = placesOf(document, name).filter(({ node, port }) => literalOf(valueAt(document.nodes[node], port)) === RANDOM);
    return places.reduce((one, place) => setInput(one, place, drawn as Json), edited);
  }, document);
}

/** The nodes that would have to run before a value can be looked at. */
export function missingFor(plan: Readonly<Record<string, { readonly action: string }>>, look: string): string[] {
  return Object.entries(plan)
    .filter(([id, { action }]) => id !== look && !id.includes("/") && (action === "run" || action === "maybe"))
    .map(([id]) => id);
}
