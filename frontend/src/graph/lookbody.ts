/** A look into the body of a loop: at a value in every iteration, of which one is shown. */

import { linksInto, splitReference, type Document, type Port } from "./document";
import { freshId, withNode } from "./edits";
import { INSPECT, lookInputs, lookName, opened, type LookDocument } from "./look";
import { definitionOf, inside, isBoundary, putBack } from "./scope";

const FOR_EACH = "logic.for_each";

export interface BodyLook extends LookDocument {
  /** The node in the body that looks; it tells itself as `loop/3/inspect`. */
  readonly inspect: string;
}

/** The loop whose body was entered last, in the document without the subgraphs around it. Null where none was. */
export function loopEntered(document: Document, through: readonly string[]): { document: Document; loop: string } | null {
  const loop = through.at(-1);
  const place = loop === undefined ? null : opened(document, through.slice(0, -1), { node: loop, port: "" });
  return place && bodyOf(place.document, place.port.node) !== null ? { document: place.document, loop: place.port.node } : null;
}

/** The inside of what a loop runs. Null for loops that carry a state on: their results cannot be words instead. */
export function bodyOf(document: Document, loop: string): Document | null {
  const entry = document.nodes[loop];
  return entry?.type === FOR_EACH ? inside(document, String(entry.inputs?.body ?? "").slice(1)) : null;
}

/** The copy that looks into the body of a loop, which gives the words of every iteration in the place of its results.

The body is given what it was given, so that all that ran in it comes from the cache; what is not looked at does not run.
*/
export function bodyLook(document: Document, loop: string, port: Port, model: string | null = null): BodyLook | null {
  const entry = document.nodes[loop];
  const body = bodyOf(document, loop);
  const name = String(entry?.inputs?.body ?? "").slice(1);
  const before = definitionOf(document, name);
  if (entry === undefined || body === null || before === undefined) return null;
  const copied = freshName(document, name);
  const inspect = freshId(body, INSPECT);
  const looking = upstream(withNode(body, inspect, { type: INSPECT, inputs: lookInputs(port, model) }), inspect);
  const put = putBack({ ...document, subgraphs: { ...document.subgraphs, [copied]: before } }, copied, looking);
  const nodes = definitionOf(put, copied)?.nodes ?? {};
  const definition = { ...before, nodes, outputs: { result: { type: "text", from: inspect } } };
  return {
    node: loop,
    inspect,
    document: {
      ...document,
      name: lookName(document),
      nodes: { ...document.nodes, [loop]: { ...entry, inputs: { ...entry.inputs, body: `#${copied}` } } },
      subgraphs: { ...put.subgraphs, [copied]: definition },
      outputs: { words: { from: loop } },
    },
  };
}

function freshName(document: Document, name: string): string {
  let fresh = `${name}_look`;
  while (definitionOf(document, fresh) !== undefined) fresh += "_";
  return fresh;
}

/** A body with nothing but a node and what it reads: nothing else is saved or shown again. */
function upstream(body: Document, node: string): Document {
  const needed = new Set([node]);
  for (const id of needed) {
    // What is added to a set while it is walked is visited too.
    for (const { reference } of linksInto(body.nodes[id] ?? { type: "" })) needed.add(splitReference(reference).node);
  }
  const nodes = Object.entries(body.nodes).filter(([id]) => needed.has(id) || isBoundary(id));
  return { ...body, nodes: Object.fromEntries(nodes) };
}

export interface Told {
  readonly words: string;
  readonly picture: string | undefined;
  /** How many iterations there are, and which of them this is; null for a value that there is once. */
  readonly iteration: { readonly count: number; readonly number: number } | null;
}

interface Looked {
  readonly outputs: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly shown: Readonly<Record<string, { readonly url: string }>>;
}

/** What a look told: of the iteration that was chosen, or of the last one. */
export function toldBy({ outputs, shown }: Looked, body: Omit<BodyLook, "document"> | null, chosen: number | null): Told {
  const words = outputs.words?.value;
  if (body === null || !Array.isArray(words)) {
    return { words: typeof words === "string" ? words : "", picture: Object.values(shown)[0]?.url, iteration: null };
  }
  const number = Math.max(0, Math.min(chosen ?? words.length, words.length - 1));
  const picture = shown[`${body.node}/${number}/${body.inspect}`]?.url;
  return { words: String(words[number] ?? ""), picture, iteration: { count: words.length, number } };
}
