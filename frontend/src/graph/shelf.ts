/** The library of nodes as lines: what is liked and was used last, then all by category; a search is one list. */

import type { NodeType } from "./catalogue";
import { findTypes } from "./search";

/** Sections that are no categories. No category is called like this. */
export const LIKED = "*liked";
export const RECENT = "*recent";
export const FOUND = "*found";

export type ShelfLine =
  | { readonly kind: "section"; readonly key: string; readonly section: string; readonly count: number; readonly isOpen: boolean; readonly place: Place }
  | { readonly kind: "type"; readonly key: string; readonly section: string; readonly type: NodeType; readonly level: number; readonly place: Place };

/** The which-th of how many beside it. */
export interface Place {
  readonly index: number;
  readonly of: number;
}

export interface Shelf {
  readonly query: string;
  readonly liked: readonly string[];
  readonly recent: readonly string[];
  readonly open: ReadonlySet<string>;
}

/** The lines that are seen, from top to bottom. Liked and recent types that are not there are left out. */
export function shelfLines(types: readonly NodeType[], { query, liked, recent, open }: Shelf): ShelfLine[] {
  if (query.trim() !== "") return typeLines(findTypes(types, query), FOUND, 1);
  const byId = new Map(types.map((type) => [type.id, type]));
  const known = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? []);
  const sections = new Map<string, NodeType[]>();
  if (known(liked).length > 0) sections.set(LIKED, known(liked));
  if (known(recent).length > 0) sections.set(RECENT, known(recent));
  for (const type of findTypes(types, "")) sections.set(type.category, [...(sections.get(type.category) ?? []), type]);
  const rest = sections.get("");
  // What names no category comes last.
  if (rest !== undefined) {
    sections.delete("");
    sections.set("", rest);
  }
  return [...sections].flatMap(([section, inside], index): ShelfLine[] => {
    const isOpen = open.has(section);
    const place = { index, of: sections.size };
    const head: ShelfLine = { kind: "section", key: section, section, count: inside.length, isOpen, place };
    return [head, ...(isOpen ? typeLines(inside, section, 2) : [])];
  });
}

function typeLines(types: readonly NodeType[], section: string, level: number): ShelfLine[] {
  return types.map((type, index) => ({
    kind: "type",
    key: `${section} ${type.id}`,
    section,
    type,
    level,
    place: { index, of: types.length },
  }));
}

/** What a key does in the tree: go to another line, or fold or unfold a section. Nothing where it means nothing. */
export function shelfStep(lines: readonly ShelfLine[], at: string | null, key: string): { to: string } | { fold: string } | null {
  const index = lines.findIndex((line) => line.key === at);
  const line = lines[index];
  const go = (next: ShelfLine | undefined) => (next ? { to: next.key } : null);
  switch (key) {
    case "ArrowDown":
      return go(lines[index + 1]);
    case "ArrowUp":
      return go(lines[index - 1]);
    case "Home":
      return go(lines[0]);
    case "End":
      return go(lines.at(-1));
    case "ArrowRight":
      if (line?.kind !== "section") return null;
      return line.isOpen ? go(lines[index + 1]) : { fold: line.section };
    case "ArrowLeft":
      if (line?.kind === "section") return line.isOpen ? { fold: line.section } : null;
      return go(lines.find((one) => one.kind === "section" && one.section === line?.section));
    default:
      return null;
  }
}

/** The sockets that make a node what it is: inputs that only a link feeds, and all outputs. */
export function mainSockets(type: NodeType): { inputs: NodeType["inputs"]; outputs: NodeType["outputs"] } {
  return { inputs: type.inputs.filter(({ widget, growing }) => widget.kind === "none" || growing !== null), outputs: type.outputs };
}

/** Last used first, each once, and not too many. */
export function usedLast(recent: readonly string[], id: string, most = 6): string[] {
  return [id, ...recent.filter((one) => one !== id)].slice(0, most);
}

/** Subgraphs of one document are no types that another one knows. */
export function isKnownEverywhere(type: NodeType): boolean {
  return !type.id.startsWith("#");
}
