/** Collapsed nodes: their head alone is drawn. They stand in the view, so that nothing of what runs changes. */

import type { Document } from "./document";
import { isBoundary } from "./scope";

export function collapsedIn({ view }: Pick<Document, "view">): ReadonlySet<string> {
  const ids = view?.collapsed;
  return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : []);
}

/** Collapse nodes; if all of them are collapsed already, open them. */
export function toggleCollapsed(document: Document, ids: readonly string[]): Document {
  const chosen = ids.filter((id) => !isBoundary(id) && Object.hasOwn(document.nodes, id));
  if (chosen.length === 0) return document;
  const before = collapsedIn(document);
  const after = new Set([...before].filter((id) => Object.hasOwn(document.nodes, id)));
  const isOpening = chosen.every((id) => before.has(id));
  for (const id of chosen) {
    if (isOpening) after.delete(id);
    else after.add(id);
  }
  const { collapsed: _, ...view } = document.view ?? {};
  return { ...document, view: after.size > 0 ? { ...view, collapsed: [...after] } : view };
}
