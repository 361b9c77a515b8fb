/** Keeping to the dots of the canvas, where that is wanted. */

import { DOTS } from "../graph/dots";
import type { Point } from "../graph/document";
import { useUi } from "../store/ui";

export function snapped({ x, y }: Point): Point {
  if (!useUi.getState().snap) return { x, y };
  return { x: Math.round(x / DOTS) * DOTS, y: Math.round(y / DOTS) * DOTS };
}
