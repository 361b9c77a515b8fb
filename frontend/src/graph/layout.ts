/** Automatic layout: columns from left to right, in the order in which values flow. */

import dagre from "@dagrejs/dagre";

import type { Link, Point } from "./document";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Places for nodes of given sizes: no two overlap, and links lead to the right. */
export function layout(sizes: ReadonlyMap<string, Size>, links: readonly Link[]): Record<string, Point> {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 90, marginx: 40, marginy: 40 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, { width, height }] of sizes) graph.setNode(id, { width, height });
  for (const { from, to } of links) {
    if (sizes.has(from.node) && sizes.has(to.node)) graph.setEdge(from.node, to.node, {}, `${from.port} ${to.port}`);
  }
  dagre.layout(graph);
  return Object.fromEntries(
    [...sizes].map(([id, { width, height }]) => {
      const { x, y } = graph.node(id) as Point;
      return [id, { x: Math.round(x - width / 2), y: Math.round(y - height / 2) }];
    }),
  );
}
