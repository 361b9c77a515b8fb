/** The seeds of a workflow: fixed for a sweep, and other ones for each repetition. */

import type { Catalogue } from "./catalogue";
import { literalOf, type Document, type Port } from "./document";
import { setInput } from "./edits";
import type { Json } from "./json";
import { typeOf } from "./nodetypes";
import { rowsOf } from "./scene";
import { inside, putBack } from "./scope";
import { RANDOM } from "./widgets";

const LARGEST = 2n ** 64n - 1n;

/** Every random seed becomes this one, so that runs differ in nothing else. */
export function withFixedSeeds(document: Document, catalogue: Catalogue, seed: number): Document {
  return withSeeds(document, catalogue, (value) => (value === RANDOM ? seed : undefined));
}

export function withRandomSeeds(document: Document, catalogue: Catalogue): Document {
  return withSeeds(document, catalogue, () => RANDOM);
}

/** Every seed that is a number, so many further on; after the largest comes 0. */
export function withNextSeeds(document: Document, catalogue: Catalogue, further: number): Document {
  return withSeeds(document, catalogue, (value) => {
    if (typeof value !== "number" && typeof value !== "bigint") return undefined;
    const next = (BigInt(value) + BigInt(further)) % (LARGEST + 1n);
    return next <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(next) : next;
  });
}

/** What becomes of a seed; undefined where it stays. */
type Change = (value: Json) => Json | undefined;

/** The document with its seeds changed, also those that are written inside its subgraphs. */
function withSeeds(document: Document, catalogue: Catalogue, change: Change): Document {
  return Object.keys(document.subgraphs ?? {}).reduce((edited, name) => {
    const scope = inside(edited, name);
    return scope ? putBack(edited, name, changed(scope, catalogue, change)) : edited;
  }, changed(document, catalogue, change));
}

function changed(document: Document, catalogue: Catalogue, change: Change): Document {
  return seedsOf(document, catalogue).reduce((edited, { place, value }) => {
    const next = change(value);
    return next === undefined ? edited : setInput(edited, place, next);
  }, document);
}

/** Where seeds are written, and what stands there: the default where nothing does. */
function seedsOf(document: Document, catalogue: Catalogue): { place: Port; value: Json }[] {
  return Object.entries(document.nodes).flatMap(([node, entry]) =>
    rowsOf(entry, typeOf(document, node, catalogue))
      .filter(({ input, linked, isNew }) => input.widget.kind === "seed" && !linked && !isNew)
      .map(({ port, value, input }) => ({ place: { node, port }, value: literalOf(value) ?? input.default ?? 0 })),
  );
}
