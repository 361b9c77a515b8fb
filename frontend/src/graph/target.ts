/** What the engine is told to run up to: the path of a node in the whole, as "small/resized". */

import type { Document } from "./document";
import { ENTRANCE, EXIT, inside } from "./scope";

/** A subgraph that was entered, and the node through which; null where it was opened by itself. */
export interface Step {
  readonly definition: string;
  readonly node: string | null;
}

/** The target that a node is, seen through the subgraphs that were entered.

Inside the body of a loop nodes run once for each iteration: there the target is the loop. Null where nothing says
through which node one came, and for the inputs of a subgraph, which are made elsewhere.
*/
export function targetOf(whole: Document, path: readonly Step[], id: string): string | null {
  const way: string[] = [];
  let document: Document | null = whole;
  for (const { definition, node } of path) {
    if (node === null) return null;
    way.push(node);
    if (document?.nodes[node]?.type !== `#${definition}`) return way.join("/");
    document = inside(whole, definition);
  }
  if (id === ENTRANCE) return null;
  return id === EXIT ? way.join("/") : [...way, id].join("/");
}
