/** The seeds of a workflow: kept, drawn anew for every run, or one further after every run. */

import type { Catalogue } from "./catalogue";
import { literalOf, type Document, type Port } from "./document";
import { setInput } from "./edits";
import { exposedAs } from "./interface";
import { isObject, type Json } from "./json";
import { valueAt } from "./members";
import { typeOf } from "./nodetypes";
import { rowsOf } from "./scene";
import { everywhere, inside, isBoundary } from "./scope";
import { RANDOM } from "./widgets";

const LARGEST = 2n ** 64n - 1n;

/** What becomes of a seed when its workflow was run. "Next" is kept in the view, so that it changes no key. */
export type SeedMode = "fixed" | "random" | "next";

export function seedModeOf(document: Document, port: Port): SeedMode {
  if (literalOf(valueAt(document.nodes[port.node], port.port)) === RANDOM) return "random";
  return nextSeeds(document).includes(placeOf(port)) ? "next" : "fixed";
}

/** Another mode; `drawn` is the seed where there was none that could be kept. */
export function withSeedMode(document: Document, port: Port, mode: SeedMode, drawn: Json): Document {
  const others = nextSeeds(document).filter((place) => place !== placeOf(port));
  const next = mode === "next" ? [...others, placeOf(port)] : others;
  const { nextSeeds: _, ...view } = document.view ?? {};
  const told = { ...document, view: next.length > 0 ? { ...view, nextSeeds: next } : view };
  const isRandom = literalOf(valueAt(document.nodes[port.node], port.port)) === RANDOM;
  if (mode === "random") return isRandom ? told : setInput(told, port, RANDOM);
  return isRandom ? setInput(told, port, drawn) : told;
}

/** After a run: every seed that goes on is so many further. */
export function advanced(document: Document, catalogue: Catalogue, by: number): Document {
  return everywhere(document, (scope) => {
    const places = new Set(nextSeeds(scope));
    if (places.size === 0) return scope;
    return further(scope, seedsOf(scope, catalogue).filter((port) => places.has(placeOf(port))), by);
  });
}

/** Random seeds that no named input feeds get a number before they are sent, so that the job records it. */
export function withDrawnSeeds(document: Document, catalogue: Catalogue, draw: () => Json): Document {
  return everywhere(document, (scope) =>
    randomOnes(scope, catalogue)
      .filter((port) => exposedAs(scope, port).length === 0)
      .reduce((edited, port) => setInput(edited, port, draw()), scope),
  );
}

/** The seeds that a job was sent, in the place of random ones. */
export function withSeedsFrom(document: Document, sent: Document, catalogue: Catalogue): Document {
  return everywhere(document, (scope, name) => {
    const other = name === null ? sent : inside(sent, name);
    if (other === null) return scope;
    return randomOnes(scope, catalogue).reduce((edited, port) => {
      const drawn = valueAt(other.nodes[port.node], port.port);
      return typeof drawn === "number" || typeof drawn === "bigint" ? setInput(edited, port, drawn) : edited;
    }, scope);
  });
}

/** A seed: where it is written, and what stands there, the default where nothing does. */
interface Seed extends Port {
  readonly value: Json;
}

export function seedsOf(document: Document, catalogue: Catalogue): Seed[] {
  return Object.entries(document.nodes).flatMap(([node, entry]) =>
    isBoundary(node)
      ? []
      : rowsOf(entry, typeOf(document, node, catalogue))
          .filter(({ input, linked, isNew }) => input.widget.kind === "seed" && !linked && !isNew)
          .map(({ port, value, input }) => ({ node, port, value: literalOf(value) ?? input.default ?? 0 })),
  );
}

/** Every random seed becomes this one, so that runs differ in nothing else. */
export function withFixedSeeds(document: Document, catalogue: Catalogue, seed: number): Document {
  return everywhere(document, (scope) =>
    randomOnes(scope, catalogue).reduce((edited, place) => setInput(edited, place, seed), scope),
  );
}

export function withRandomSeeds(document: Document, catalogue: Catalogue): Document {
  return everywhere(document, (scope) =>
    seedsOf(scope, catalogue).reduce((edited, place) => setInput(edited, place, RANDOM), scope),
  );
}

/** Every seed that is a number, so many further on; after the largest comes 0. */
export function withNextSeeds(document: Document, catalogue: Catalogue, by: number): Document {
  return everywhere(document, (scope) => further(scope, seedsOf(scope, catalogue), by));
}

function further(scope: Document, seeds: readonly Seed[], by: number): Document {
  return seeds.reduce((edited, { value, ...place }) => {
    if (typeof value !== "number" && typeof value !== "bigint") return edited;
    const next = (BigInt(value) + BigInt(by)) % (LARGEST + 1n);
    return setInput(edited, place, next <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(next) : next);
  }, scope);
}

function randomOnes(scope: Document, catalogue: Catalogue): Seed[] {
  return seedsOf(scope, catalogue).filter(({ value }) => value === RANDOM);
}

function nextSeeds({ view }: Document): string[] {
  const places = isObject(view) ? view.nextSeeds : undefined;
  return Array.isArray(places) ? places.filter((place) => typeof place === "string") : [];
}

function placeOf({ node, port }: Port): string {
  return `${node}.${port}`;
}

export function holdsRandom(document: Document, catalogue: Catalogue): boolean {
  let found = false;
  everywhere(document, (scope) => {
    found ||= randomOnes(scope, catalogue).length > 0;
    return scope;
  });
  return found;
}
