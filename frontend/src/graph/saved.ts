/** Saved workflows as they are listed: found by name, in an order, under names that are free. */

import { PREFIX } from "./library";

export interface SavedItem {
  readonly name: string;
  readonly updated: number;
}

export type SavedOrder = "newest" | "name";

const LONGEST = 100;

/** Those whose names hold all words of a query, in an order. */
export function listed<I extends SavedItem>(items: readonly I[], query: string, order: SavedOrder): I[] {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter(({ name }) => words.every((word) => name.toLocaleLowerCase().includes(word)));
  return found.sort((a, b) => (order === "newest" ? b.updated - a.updated : 0) || a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** Whether a workflow can be called so: the server's rule, and names of the library are not for workflows. */
export function isName(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- they are what must not be in a name
  return name.length > 0 && name.length <= LONGEST && !/[/\\\u0000-\u001f\u007f]/.test(name) && !name.startsWith(PREFIX);
}

/** The name, or the first one after it that nobody has: "cat", "cat 2", "cat 3". */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    const end = ` ${number}`;
    const tried = name.slice(0, LONGEST - end.length) + end;
    if (!taken.has(tried)) return tried;
  }
}
