/** Fuzzy search over node types: title first, then id, category and help. */

import { matchSorter, rankings } from "match-sorter";

import type { Classes } from "./assignable";
import type { NodeType } from "./catalogue";
import { fittingInput, fittingOutput } from "./links";
import type { SocketType } from "./sockets";

/** What a new node has to fit: the end of a link that was dropped. */
export interface Wanted {
  /** `output`: the link comes from an output, and the node needs a fitting input. */
  readonly end: "output" | "input";
  readonly type: SocketType;
}

/** All types that a query finds. Without one they stand by category, unless they have an order already. */
export function findTypes(types: Iterable<NodeType>, query: string, sorted = true): NodeType[] {
  const all = [...types];
  if (query.trim() === "") return sorted ? all.sort(byCategory) : all;
  const words = query.trim().split(/\s+/);
  // Each word has to be found somewhere; the last sort is that of the whole query.
  const found = words.reduce((left, word) => matchSorter(left, word, { keys: KEYS }), all);
  const whole = new Set(matchSorter(found, query, { keys: KEYS }));
  return [...whole, ...found.filter((type) => !whole.has(type))];
}

const KEYS = [
  "title",
  "id",
  { key: "category", threshold: rankings.CONTAINS },
  { key: "help", threshold: rankings.CONTAINS },
];

/** The types that a link could end at. Those that take anything come last. */
export function fittingTypes(types: Iterable<NodeType>, wanted: Wanted, classes: Classes): NodeType[] {
  const fits = (type: NodeType) =>
    wanted.end === "output"
      ? fittingInput(type, wanted.type, classes) !== undefined
      : fittingOutput(type, wanted.type, classes) !== undefined;
  const isLoose = (type: NodeType) =>
    wanted.end === "output"
      ? fittingInput(type, wanted.type, classes)?.type.kind === "generic"
      : type.outputs[fittingOutput(type, wanted.type, classes) ?? ""]?.kind === "generic";
  const fitting = [...types].filter(fits).sort(byCategory);
  return [...fitting.filter((type) => !isLoose(type)), ...fitting.filter(isLoose)];
}

function byCategory(a: NodeType, b: NodeType): number {
  return a.category.localeCompare(b.category) || a.title.localeCompare(b.title);
}
