/** Subgraphs that are kept for all workflows: each is a workflow of its own that holds a definition and what it uses. */

import { definitionsUsed, freshDefinition, removeDefinition, withDefinition } from "./definitions";
import type { Document, NodeEntry, SubgraphEntry } from "./document";
import { isObject, sameJson, type Json } from "./json";
import { mapEntries, mapValues } from "./rewrite";
import { definitionOf } from "./scope";

/** Saved workflows with such names are subgraphs of the library. */
export const PREFIX = "subgraph:";

export interface Published {
  /** Without the prefix: what people see. */
  readonly name: string;
  readonly revision: number;
  readonly document: Document;
  /** Which of the definitions it is about; the others are used by it. */
  readonly main: string;
}

/** A definition and all that it uses, as a document to be kept. */
export function packed(document: Document, name: string, title: string): Document | null {
  const definition = definitionOf(document, name);
  if (definition === undefined) return null;
  const used = definitionsUsed(document, Object.values(definition.nodes));
  const kept = Object.entries(document.subgraphs ?? {}).filter(([one]) => one === name || used.has(one));
  const subgraphs = Object.fromEntries(kept.map(([one, entry]) => [one, one === name ? withoutOrigin(entry, title) : entry]));
  return { nodegraph: 1, name: PREFIX + title, nodes: {}, subgraphs, view: { publishes: name } };
}

function withoutOrigin(entry: SubgraphEntry, title: string): SubgraphEntry {
  const { library: _, ...rest } = entry as SubgraphEntry & { library?: Json };
  return { ...rest, title };
}

/** What was kept; null where the document holds no such thing. */
export function unpacked(name: string, revision: number, document: Document): Published | null {
  const main = document.view?.publishes;
  if (typeof main !== "string" || definitionOf(document, main) === undefined) return null;
  return { name: name.slice(PREFIX.length), revision, document, main };
}

/** Where in the library a definition comes from, and of which revision. */
export function originOf(definition: SubgraphEntry | undefined): { name: string; revision: number } | null {
  const origin = (definition as (SubgraphEntry & { library?: Json }) | undefined)?.library;
  if (!isObject(origin) || typeof origin.name !== "string") return null;
  return { name: origin.name, revision: Number(origin.revision) };
}

/** Bring a subgraph of the library into a document. One that is there already, of the same revision, is used again. */
export function insert(document: Document, published: Published): { document: Document; name: string } {
  const known = Object.entries(document.subgraphs ?? {}).find(([, one]) => {
    const origin = originOf(one);
    return origin?.name === published.name && origin.revision === published.revision;
  });
  return known ? { document, name: known[0] } : bring(document, published);
}

/** A definition and what it uses, under names that are free: nothing of the document is replaced, yet. */
function bring(
  document: Document,
  { name, revision, document: kept, main }: Published,
  replaced: string | null = null,
): { document: Document; name: string } {
  const renamed = new Map<string, string>();
  let subgraphs: Record<string, SubgraphEntry> = { ...document.subgraphs };
  const here = thereAlready(document, kept, new Set([main, ...(replaced === null ? [] : [replaced])]));
  const names = Object.keys(kept.subgraphs ?? {}).filter((one) => !here.has(one));
  const isTaken = (one: string) => definitionOf(document, one) !== undefined;
  // Names that are free are kept before others get new ones.
  for (const one of [...names.filter((other) => !isTaken(other)), ...names.filter(isTaken)]) {
    const fresh = freshDefinition({ ...document, subgraphs }, one === main ? name : one);
    renamed.set(one, fresh);
    subgraphs = { ...subgraphs, [fresh]: { nodes: {} } };
  }
  for (const one of names) {
    const definition = definitionOf(kept, one) ?? { nodes: {} };
    const origin = one === main ? { library: { name, revision } } : {};
    subgraphs[renamed.get(one) ?? one] = { ...renamedInside(definition, renamed), ...origin };
  }
  return { document: { ...document, subgraphs }, name: renamed.get(main) ?? main };
}

/** What is used that the document has too, the same to the last link: used again, not brought twice. */
function thereAlready(document: Document, kept: Document, except: ReadonlySet<string>): Set<string> {
  const same = Object.entries(kept.subgraphs ?? {}).filter(
    ([one, definition]) => !except.has(one) && sameJson(definitionOf(document, one), definition),
  );
  const names = new Set(same.map(([one]) => one));
  const isWhole = (definition: SubgraphEntry) => [...definitionsUsed(kept, Object.values(definition.nodes))].every((used) => names.has(used));
  return new Set(same.filter(([, definition]) => isWhole(definition)).map(([one]) => one));
}

/** A newer revision in the place of the one that is there: whoever uses it uses the new one. All others stay. */
export function update(document: Document, name: string, published: Published): Document {
  const brought = bring(document, published, name);
  const definition = definitionOf(brought.document, brought.name);
  if (definition === undefined) return document;
  return withDefinition(removeDefinition(brought.document, brought.name), name, definition);
}

function renamedInside(definition: SubgraphEntry, renamed: ReadonlyMap<string, string>): SubgraphEntry {
  const follow = (text: string) => (text.startsWith("#") ? `#${renamed.get(text.slice(1)) ?? text.slice(1)}` : text);
  const nodes = mapEntries(definition.nodes, (entry): NodeEntry => {
    const inside = mapValues(entry, (value) => (typeof value === "string" ? follow(value) : value));
    return { ...inside, type: follow(entry.type) };
  });
  return { ...definition, nodes };
}
