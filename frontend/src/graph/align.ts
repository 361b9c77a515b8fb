/** Nodes in line with each other, and at equal distances. */

import type { Point } from "./document";
import type { Box } from "./outline";

export const WAYS = ["left", "centre", "right", "top", "middle", "bottom", "across", "down"] as const;
/** An edge or a middle that all share, or equal gaps from left to right (`across`) or from top to bottom. */
export type Way = (typeof WAYS)[number];

/** The places of nodes after they were aligned. Gaps need three nodes; with fewer nothing moves. */
export function aligned(boxes: Readonly<Record<string, Box>>, way: Way): Record<string, Point> {
  const all = Object.entries(boxes);
  if (way === "across" || way === "down") return spread(all, way);
  if (all.length < 2) return {};
  const values = all.map(([, box]) => box);
  const left = Math.min(...values.map(({ x }) => x));
  const right = Math.max(...values.map(({ x, width }) => x + width));
  const top = Math.min(...values.map(({ y }) => y));
  const bottom = Math.max(...values.map(({ y, height }) => y + height));
  const place: Record<Exclude<Way, "across" | "down">, (box: Box) => Point> = {
    left: ({ y }) => ({ x: left, y }),
    centre: ({ y, width }) => ({ x: (left + right - width) / 2, y }),
    right: ({ y, width }) => ({ x: right - width, y }),
    top: ({ x }) => ({ x, y: top }),
    middle: ({ x, height }) => ({ x, y: (top + bottom - height) / 2 }),
    bottom: ({ x, height }) => ({ x, y: bottom - height }),
  };
  return Object.fromEntries(all.map(([id, box]) => [id, place[way](box)]));
}

/** The first and the last stay; between all there is the same gap, which is negative where they overlap. */
function spread(boxes: readonly (readonly [string, Box])[], way: "across" | "down"): Record<string, Point> {
  const [start, size] = way === "across" ? (["x", "width"] as const) : (["y", "height"] as const);
  const ordered = [...boxes].sort(([, a], [, b]) => a[start] - b[start]);
  const first = ordered[0]?.[1];
  const last = ordered.at(-1)?.[1];
  if (first === undefined || last === undefined || ordered.length < 3) return {};
  const taken = ordered.reduce((sum, [, box]) => sum + box[size], 0);
  const gap = (last[start] + last[size] - first[start] - taken) / (ordered.length - 1);
  let next = first[start];
  return Object.fromEntries(
    ordered.map(([id, box]) => {
      const place = { x: box.x, y: box.y, [start]: next };
      next += box[size] + gap;
      return [id, place];
    }),
  );
}
