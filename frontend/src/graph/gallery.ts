/** The gallery: what a search finds, and what made a picture. */

import { literalOf, type Document } from "./document";
import type { Json } from "./json";

export interface Made {
  readonly title: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** Whether every word of a search stands in the title or in what was given to the run. */
export function isFound({ title, inputs }: Made, query: string): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [title, ...Object.entries(inputs).map(([name, value]) => `${name} ${plain(value)}`)].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

/** What people ask of a picture, in the order in which they ask. */
const ASKED = [
  "prompt", "text", "negative", "seed", "steps", "cfg", "sampler", "scheduler", "denoise", "file", "checkpoint", "width", "height",
];

/** What made a picture: the named inputs of its run, or where there are none, what its nodes were given. */
export function parametersOf(inputs: Readonly<Record<string, unknown>>, document: Document | null): Parameter[] {
  const named = Object.entries(inputs).map(([name, value]) => ({ name, value: plain(value) }));
  const found = named.length > 0 || document === null ? named : writtenIn(document);
  return found.filter(({ value }) => value !== "").sort((a, b) => rank(a.name) - rank(b.name));
}

function writtenIn(document: Document): Parameter[] {
  return Object.entries(document.nodes).flatMap(([id, entry]) =>
    Object.entries(entry.inputs ?? {}).flatMap(([name, value]): Parameter[] => {
      const literal = literalOf(value);
      if (!ASKED.includes(name) || literal === null || typeof literal === "object") return [];
      return [{ name: name === "text" ? id : name, value: plain(literal) }];
    }),
  );
}

function rank(name: string): number {
  const place = ASKED.indexOf(name);
  return place < 0 ? ASKED.length : place;
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value as Json, (_, one: unknown) => (typeof one === "bigint" ? one.toString() : one)) : String(value as string);
}
