/** The line of a link that is led through way points: smooth, and level where it leaves and arrives. */

import type { Point } from "./document";

/** A stretch of the line: a cubic Bézier curve. */
export interface Cubic {
  readonly from: Point;
  readonly a: Point;
  readonly b: Point;
  readonly to: Point;
}

/** How much of a stretch its ends keep their direction for. */
const HOLD = 0.36;
const LEVEL: Point = { x: 1, y: 0 };

/** Stretches from point to point. At a way point the line runs as from the one before to the one after. */
export function curveThrough(points: readonly Point[]): Cubic[] {
  const directions = points.map((_, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    return before && after ? unit(before, after) : LEVEL;
  });
  return points.slice(1).map((to, index) => {
    const from = points[index] ?? to;
    const reach = HOLD * Math.hypot(to.x - from.x, to.y - from.y);
    const [leaving, arriving] = [directions[index] ?? LEVEL, directions[index + 1] ?? LEVEL];
    return {
      from,
      a: { x: from.x + reach * leaving.x, y: from.y + reach * leaving.y },
      b: { x: to.x - reach * arriving.x, y: to.y - reach * arriving.y },
      to,
    };
  });
}

/** The line as the `d` of an SVG path. */
export function pathOf(curve: readonly Cubic[]): string {
  const at = ({ x, y }: Point) => `${rounded(x)},${rounded(y)}`;
  const [first] = curve;
  return first ? [`M${at(first.from)}`, ...curve.map(({ a, b, to }) => `C${at(a)} ${at(b)} ${at(to)}`)].join(" ") : "";
}

function unit(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  return length === 0 ? LEVEL : { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
