/** Find nodes of a document: by title, by type, and by what is written in them. */

import { matchSorter, rankings } from "match-sorter";

import type { Catalogue } from "./catalogue";
import { commentOn } from "./comments";
import { literalOf, type Document } from "./document";
import { typeOf } from "./nodetypes";
import { isBoundary } from "./scope";

export interface Found {
  readonly id: string;
  readonly title: string;
  readonly type: string;
  readonly comment: string;
  /** The texts and names that are written in its fields. */
  readonly written: readonly string[];
}

/** The nodes that hold every word of a query, the best first; all of them where it is empty. */
export function findNodes(document: Document, catalogue: Catalogue, query: string): Found[] {
  const all = Object.keys(document.nodes)
    .filter((id) => !isBoundary(id))
    .map((id) => told(document, catalogue, id));
  const words = query.trim().split(/\s+/).filter(Boolean);
  return words.reduce((left, word) => matchSorter(left, word, { keys: KEYS }), all);
}

const KEYS = [
  { key: "title", threshold: rankings.CONTAINS },
  { key: "type", threshold: rankings.CONTAINS },
  { key: "id", threshold: rankings.CONTAINS },
  { key: "comment", threshold: rankings.CONTAINS },
  { key: "written", threshold: rankings.CONTAINS },
];

function told(document: Document, catalogue: Catalogue, id: string): Found {
  const entry = document.nodes[id];
  const type = typeOf(document, id, catalogue);
  const values = Object.values(entry?.inputs ?? {}).map(literalOf);
  return {
    id,
    title: entry?.title ?? type.title,
    type: type.title,
    comment: commentOn(document, id),
    written: values.filter((value) => typeof value === "string"),
  };
}
