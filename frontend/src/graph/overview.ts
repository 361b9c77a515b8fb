/** The small map of a graph: at which scale it shows the graph, and how places of both belong together. */

import type { Point } from "./document";
import type { Box } from "./outline";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A point p of the graph lies at p × scale + (x, y) on the map. */
export interface Mapping extends Point {
  readonly scale: number;
}

/** Of the map's size, on each side. */
const EDGE = 0.06;

/** The smallest box around all of these; null around none. */
export function union(boxes: Iterable<Box>): Box | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, width, height } of boxes) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return left > right ? null : { x: left, y: top, width: right - left, height: bottom - top };
}

/** The map that shows all of a box in its middle, as large as it can. */
export function mapping({ x, y, width, height }: Box, map: Size): Mapping {
  const room = 1 - 2 * EDGE;
  const scale = Math.min((map.width * room) / Math.max(1, width), (map.height * room) / Math.max(1, height));
  return { scale, x: map.width / 2 - (x + width / 2) * scale, y: map.height / 2 - (y + height / 2) * scale };
}

/** What turns one map into another of the same graph: scale it, then move it. */
export function between(from: Mapping, to: Mapping): Mapping {
  const scale = to.scale / from.scale;
  return { scale, x: to.x - from.x * scale, y: to.y - from.y * scale };
}

export function toMap({ scale, x, y }: Mapping, box: Box): Box {
  return { x: box.x * scale + x, y: box.y * scale + y, width: box.width * scale, height: box.height * scale };
}

/** The point of the graph at one of the map. */
export function fromMap({ scale, x, y }: Mapping, at: Point): Point {
  return { x: (at.x - x) / scale, y: (at.y - y) / scale };
}
