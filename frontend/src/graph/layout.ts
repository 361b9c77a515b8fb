/** Automatic layout: columns from left to right, in the order in which values flow. */

import dagre from "@dagrejs/dagre";

import type { Link, Point } from "./document";
import { layers } from "./layers";

export interface Size {
  readonly width: number;
  readonly height: number;
}

type Sizes = ReadonlyMap<string, Size>;
type Places = Record<string, Point>;

/** Graphs up to this size get the better layout, whose time grows faster than the graph. */
const LARGEST = 200;
const MARGIN = 40;
const GAP = 120;
/** How much wider than high the whole may be. */
const RATIO = 1.8;

/** Places for nodes of given sizes: no two overlap, and links lead to the right. */
export function layout(sizes: Sizes, links: readonly Link[]): Places {
  const parts = components(sizes, links).map((part) => {
    const own = new Set(part);
    const inner = links.filter(({ from, to }) => own.has(from.node) && own.has(to.node));
    const some = new Map(part.map((id) => [id, sizes.get(id) ?? { width: 0, height: 0 }]));
    return { sizes: some, places: part.length > LARGEST ? layers(some, inner) : flowing(some, inner) };
  });
  return shelved(parts);
}

function flowing(sizes: Sizes, links: readonly Link[]): Places {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 90 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, { width, height }] of sizes) graph.setNode(id, { width, height });
  for (const { from, to } of links) graph.setEdge(from.node, to.node, {}, `${from.port} ${to.port}`);
  dagre.layout(graph);
  return Object.fromEntries(
    [...sizes].map(([id, { width, height }]) => {
      const { x, y } = graph.node(id) as Point;
      return [id, { x: Math.round(x - width / 2), y: Math.round(y - height / 2) }];
    }),
  );
}

/** The parts of a graph that no link joins, in the order of their first nodes. */
function components(sizes: Sizes, links: readonly Link[]): string[][] {
  const near = new Map<string, string[]>([...sizes.keys()].map((id) => [id, []]));
  for (const { from, to } of links) {
    near.get(from.node)?.push(to.node);
    near.get(to.node)?.push(from.node);
  }
  const seen = new Set<string>();
  return [...sizes.keys()].flatMap((first) => {
    if (seen.has(first)) return [];
    seen.add(first);
    const part = [first];
    for (const id of part) {
      for (const other of near.get(id) ?? []) {
        if (seen.has(other) || !sizes.has(other)) continue;
        seen.add(other);
        part.push(other);
      }
    }
    return [part];
  });
}

/** The parts beside each other, in rows, so that the whole is about as wide as a screen. */
function shelved(parts: readonly { sizes: Sizes; places: Places }[]): Places {
  const boxes = parts.map(({ sizes, places }) => ({ places, ...boxOf(sizes, places) }));
  const area = boxes.reduce((sum, { width, height }) => sum + (width + GAP) * (height + GAP), 0);
  const widest = Math.max(Math.sqrt(area * RATIO), ...boxes.map(({ width }) => width));
  const all: Places = {};
  let x = MARGIN;
  let y = MARGIN;
  let tallest = 0;
  for (const { places, left, top, width, height } of boxes) {
    if (x > MARGIN && x + width > MARGIN + widest) {
      x = MARGIN;
      y += tallest + GAP;
      tallest = 0;
    }
    for (const [id, place] of Object.entries(places)) all[id] = { x: place.x - left + x, y: place.y - top + y };
    x += width + GAP;
    tallest = Math.max(tallest, height);
  }
  return all;
}

function boxOf(sizes: Sizes, places: Places): { left: number; top: number; width: number; height: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [id, { width, height }] of sizes) {
    const { x, y } = places[id] ?? { x: 0, y: 0 };
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return { left, top, width: right - left, height: bottom - top };
}
