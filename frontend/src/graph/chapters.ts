/** The order of the list where groups are drawn around nodes: those of a group stand together. */

import { linksInto, splitReference, type Document } from "./document";
import { boxesOf, groupsOfNodes } from "./frames";
import { orderOf, readingOrder } from "./order";
import type { Scene } from "./scene";
import { ENTRANCE, EXIT } from "./scope";

/** Nodes that follow each other: of one group, or of none. */
export interface Chapter {
  readonly group: string | null;
  readonly nodes: readonly string[];
}

/** A document as the list shows it. */
export function chaptersIn(document: Document, scene: Scene): Chapter[] {
  return chaptersOf(document, groupsOfNodes(document, boxesOf(scene)));
}

/** Nodes by group: after those that they read, as far as groups do not read each other in a circle. */
export function chaptersOf(document: Document, groups: ReadonlyMap<string, string>): Chapter[] {
  const order = readingOrder(document);
  if (groups.size === 0) return order.length > 0 ? [{ group: null, nodes: order }] : [];
  const blocks = new Map<string, string[]>();
  const blockOf = (id: string) => (groups.has(id) ? `group ${groups.get(id) ?? ""}` : `node ${id}`);
  for (const id of order) blocks.set(blockOf(id), [...(blocks.get(blockOf(id)) ?? []), id]);
  const sources = (block: string) =>
    (blocks.get(block) ?? [])
      .flatMap((id) => linksInto(document.nodes[id] ?? { type: "" }).map(({ reference }) => splitReference(reference).node))
      .filter((node) => Object.hasOwn(document.nodes, node))
      .map(blockOf)
      .filter((other) => other !== block);
  const chapters: Chapter[] = [];
  for (const block of withBorder(orderOf([...blocks.keys()], sources))) {
    const nodes = blocks.get(block) ?? [];
    const group = groups.get(nodes[0] ?? "") ?? null;
    const last = chapters.at(-1);
    if (group === null && last?.group === null) chapters[chapters.length - 1] = { group, nodes: [...last.nodes, ...nodes] };
    else chapters.push({ group, nodes });
  }
  return chapters;
}

/** The border of a subgraph stands around all else, unless it was drawn into a group. */
function withBorder(blocks: readonly string[]): string[] {
  const [first, last] = [`node ${ENTRANCE}`, `node ${EXIT}`];
  const only = (one: string) => blocks.filter((block) => block === one);
  return [...only(first), ...blocks.filter((block) => block !== first && block !== last), ...only(last)];
}
