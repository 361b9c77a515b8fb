/** The order in which nodes are told one after the other: what a node reads comes before it. */

import { linksInto, splitReference, type Document } from "./document";
import { ENTRANCE, EXIT } from "./scope";

/** All nodes, each after those that it reads, and as near to them as can be. Circles are broken anywhere. */
export function readingOrder(document: Document): string[] {
  const order = orderOf(Object.keys(document.nodes), (id) => sourcesOf(document, id));
  const inner = order.filter((id) => id !== ENTRANCE && id !== EXIT);
  const border = (id: string) => (Object.hasOwn(document.nodes, id) ? [id] : []);
  return [...border(ENTRANCE), ...inner, ...border(EXIT)];
}

/** Each after its sources, and as near to them as can be. */
export function orderOf(ids: readonly string[], sources: (id: string) => readonly string[]): string[] {
  const order = new Set<string>();
  const begun = new Set<string>();
  for (const first of ids) {
    // A stack of our own: a chain may be longer than calls can be nested.
    const stack = [first];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const isNew = !begun.has(id);
      begun.add(id);
      const open = isNew ? sources(id).filter((source) => !begun.has(source)) : [];
      if (open.length > 0) stack.push(...[...open].reverse());
      else {
        order.add(id);
        stack.pop();
      }
    }
  }
  return [...order];
}

function sourcesOf(document: Document, id: string): string[] {
  const entry = document.nodes[id];
  if (entry === undefined) return [];
  return linksInto(entry)
    .map(({ reference }) => splitReference(reference).node)
    .filter((node) => Object.hasOwn(document.nodes, node));
}
