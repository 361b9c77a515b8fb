/** The seeds of a workflow: fixed for a sweep, and other ones for each repetition. */

import type { Catalogue } from "./catalogue";
import { literalOf, type Document, type Port } from "./document";
import { setInput } from "./edits";
import { typeOf } from "./nodetypes";
import { rowsOf } from "./scene";
import { RANDOM } from "./widgets";

const LARGEST = 2n ** 64n - 1n;

/** Where seeds are written. */
export function seedsOf(document: Document, catalogue: Catalogue): Port[] {
  return Object.entries(document.nodes).flatMap(([node, entry]) =>
    rowsOf(entry, typeOf(document, node, catalogue))
      .filter(({ input, linked, isNew }) => input.widget.kind === "seed" && !linked && !isNew)
      .map(({ port }) => ({ node, port })),
  );
}

/** Every random seed becomes this one, so that runs differ in nothing else. */
export function withFixedSeeds(document: Document, catalogue: Catalogue, seed: number): Document {
  const random = seedsOf(document, catalogue).filter(({ node, port }) => literalOf(document.nodes[node]?.inputs?.[port]) === RANDOM);
  return random.reduce((edited, place) => setInput(edited, place, seed), document);
}

export function withRandomSeeds(document: Document, catalogue: Catalogue): Document {
  return seedsOf(document, catalogue).reduce((edited, place) => setInput(edited, place, RANDOM), document);
}

/** Every seed that is a number, so many further on; after the largest comes 0. */
export function withNextSeeds(document: Document, catalogue: Catalogue, further: number): Document {
  return seedsOf(document, catalogue).reduce((edited, place) => {
    const value = literalOf(document.nodes[place.node]?.inputs?.[place.port]) ?? 0;
    if (typeof value !== "number" && typeof value !== "bigint") return edited;
    const next = (BigInt(value) + BigInt(further)) % (LARGEST + 1n);
    return setInput(edited, place, next <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(next) : next);
  }, document);
}
