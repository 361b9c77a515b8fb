/** The definitions of a document, and who uses them. */

import type { Document, NodeEntry, SubgraphEntry } from "./document";
import { freshName, plainName } from "./names";
import { without } from "./rewrite";
import { definitionOf } from "./scope";

/** The definitions that nodes use, near or far: as their type, or as the body that they run. */
export function definitionsUsed(document: Document, entries: readonly NodeEntry[]): Set<string> {
  const found = new Set<string>();
  const left = [...entries];
  for (let entry = left.pop(); entry !== undefined; entry = left.pop()) {
    for (const name of namesIn(document, entry)) {
      if (found.has(name)) continue;
      found.add(name);
      left.push(...Object.values(definitionOf(document, name)?.nodes ?? {}));
    }
  }
  return found;
}

function namesIn(document: Document, entry: NodeEntry): string[] {
  return [entry.type, ...Object.values(entry.inputs ?? {})].flatMap((value) =>
    typeof value === "string" && value.startsWith("#") && definitionOf(document, value.slice(1)) ? [value.slice(1)] : [],
  );
}

/** The definition that a node runs: as its type, or as the first body that it names. */
export function definitionRunBy(document: Document, entry: NodeEntry): string | null {
  return namesIn(document, entry)[0] ?? null;
}

/** Whether a definition may be used inside another: not in itself, and not in what it uses. */
export function usableIn(document: Document, name: string, open: string | null): boolean {
  if (open === null) return true;
  const nodes = Object.values(definitionOf(document, name)?.nodes ?? {});
  return name !== open && !definitionsUsed(document, nodes).has(open);
}

/** How many nodes use a definition, in the whole document. */
export function countUses(document: Document, name: string): number {
  const all = [document.nodes, ...Object.values(document.subgraphs ?? {}).map(({ nodes }) => nodes)];
  return all.flatMap((nodes) => Object.values(nodes)).filter((entry) => namesIn(document, entry).includes(name)).length;
}

/** A name for a definition that no other has, from its title. */
export function freshDefinition(document: Document, title: string): string {
  return freshName(plainName(title.trim().toLowerCase(), "subgraph"), (name) => definitionOf(document, name) !== undefined);
}

export function withDefinition(document: Document, name: string, definition: SubgraphEntry): Document {
  return { ...document, subgraphs: { ...document.subgraphs, [name]: definition } };
}

export function changeDefinition(
  document: Document,
  name: string,
  change: (definition: SubgraphEntry) => SubgraphEntry,
): Document {
  const definition = definitionOf(document, name);
  return definition ? withDefinition(document, name, change(definition)) : document;
}

export function removeDefinition(document: Document, name: string): Document {
  return { ...document, subgraphs: without(document.subgraphs ?? {}, name) };
}
