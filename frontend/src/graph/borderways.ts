/** Way points of links over the border of a subgraph: they lie outside, on the part of the link that is seen there. */

import { splitReference, type Document } from "./document";
import { nameOf, waysOf, type Way } from "./reroutes";

/** What a border asks of a group. Places and outputs are written out: `sample.model`, `loader.model`. */
interface Border {
  readonly isInside: (reference: string) => boolean;
  /** What is linked to a place; null where nothing is. */
  readonly sourceOf: (place: string) => string | null;
  /** The input of the group that an output outside feeds, and the output that shows one inside. */
  readonly inputFor: (source: string) => string | undefined;
  readonly outputFor: (source: string) => string | undefined;
}

/** When some nodes become the node `id`: the way points of its links are those that led into them and out of them. */
export function waysOfGroup(document: Document, id: string, border: Border): Map<string, Way> {
  const found = new Map<string, Way>();
  for (const [to, way] of waysOf(document.view)) {
    const [isIn, isOut] = [border.isInside(to), border.isInside(way.from)];
    if (isIn === isOut || border.sourceOf(to) !== way.from) continue;
    const port = isIn ? border.inputFor(way.from) : border.outputFor(way.from);
    if (port === undefined) continue;
    const own = nameOf({ node: id, port });
    // Links from one output are one link at the border: the first that was led leads it.
    if (!isIn) found.set(to, { ...way, from: own });
    else if (!found.has(own)) found.set(own, way);
  }
  return found;
}

/** When the node `id` gives way to what is inside: each link goes on as it was led to its node. */
export function waysOfMembers(
  document: Document,
  id: string,
  placesOf: (place: string) => readonly string[],
  source: (output: string | null) => string | null,
): Map<string, Way> {
  const found = new Map<string, Way>();
  for (const [to, way] of waysOf(document.view)) {
    const { node, output } = splitReference(way.from);
    const from = node === id ? source(output) : way.from;
    const isLedIn = splitReference(to).node === id;
    if (from === null || (node !== id && !isLedIn)) continue;
    for (const place of isLedIn ? placesOf(to) : [to]) found.set(place, { ...way, from });
  }
  return found;
}
