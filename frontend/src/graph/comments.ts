/** Comments on nodes. They stand in `view.comments`, by node, and never change what runs. */

import { collapsedIn } from "./collapse";
import type { Document } from "./document";
import { isObject, type JsonObject } from "./json";

interface Viewed {
  readonly view?: Readonly<JsonObject>;
}

/** The comment on a node; empty where there is none. */
export function commentOn({ view }: Viewed, id: string): string {
  const all = view?.comments;
  const comment = isObject(all) && Object.hasOwn(all, id) ? all[id] : undefined;
  return typeof comment === "string" ? comment : "";
}

/** Write a comment on a node; an empty one takes it away. */
export function setComment(document: Document, id: string, comment: string): Document {
  const written = comment.trim();
  return written === commentOn(document, id) ? document : withComments(document, { [id]: written });
}

export function withoutComments(document: Document, gone: ReadonlySet<string>): Document {
  const lost = [...gone].filter((id) => commentOn(document, id) !== "");
  return lost.length > 0 ? withComments(document, Object.fromEntries(lost.map((id) => [id, ""]))) : document;
}

/** What is seen of nodes besides their places, where they have other ids or stand in another document: comments, and what is collapsed. */
export function alsoSeen<T extends Viewed>(to: T, from: Viewed, ids: ReadonlyMap<string, string>): T {
  const comments = Object.fromEntries([...ids].map(([old, id]) => [id, commentOn(from, old)]).filter(([, comment]) => comment !== ""));
  const closed = collapsedIn(from);
  const collapsed = [...ids].filter(([old]) => closed.has(old)).map(([, id]) => id);
  const led = Object.keys(comments).length > 0 ? withComments(to, comments) : to;
  return collapsed.length > 0 ? { ...led, view: { ...led.view, collapsed: [...new Set([...collapsedIn(to), ...collapsed])] } } : led;
}

function withComments<T extends Viewed>(document: T, changed: Readonly<Record<string, string>>): T {
  const { comments, ...view } = document.view ?? {};
  const all = Object.entries({ ...(isObject(comments) ? comments : {}), ...changed }).filter(([, comment]) => comment !== "");
  return { ...document, view: all.length > 0 ? { ...view, comments: Object.fromEntries(all) } : view };
}
