/** What of the canvas is seen. */

import { getViewportForBounds, type Viewport } from "@xyflow/react";

import type { Point } from "../graph/document";
import { estimate } from "../graph/estimate";
import type { SceneNode } from "../graph/scene";
import { isStill } from "../store/screen";

/** The smallest zoom. */
export const SMALLEST = 0.02;
const BARS = 50;
const SWEEP_MS = 200;

/** How everything, or some of it, is brought into view: by moving there, unless movement is unwelcome. */
export function fitting(nodes?: readonly { readonly id: string }[]) {
  return { padding: 0.12, maxZoom: 1, duration: isStill() ? 0 : SWEEP_MS, ...(nodes ? { nodes: [...nodes] } : {}) };
}

/** The view of all nodes at once, before they are drawn. `places` are those that they will have. */
export function viewOf(nodes: readonly SceneNode[], places: Readonly<Record<string, Point>> = {}): Viewport {
  const boxes = nodes.map((node) => ({ ...(places[node.id] ?? node.position), ...estimate(node) }));
  const left = Math.min(...boxes.map(({ x }) => x));
  const top = Math.min(...boxes.map(({ y }) => y));
  const width = Math.max(...boxes.map((box) => box.x + box.width)) - left;
  const height = Math.max(...boxes.map((box) => box.y + box.height)) - top;
  const bounds = { x: left, y: top, width, height };
  return getViewportForBounds(bounds, window.innerWidth, window.innerHeight - BARS, SMALLEST, 1, 0.06);
}
