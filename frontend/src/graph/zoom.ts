/** A picture that is looked at closely: zoomed about a point and moved, but never out of sight. */

import type { Point } from "./document";

export interface Zoom {
  readonly scale: number;
  /** How far the picture's middle is from the frame's, in pixels of the screen. */
  readonly x: number;
  readonly y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
const MOST = 16;

/** Zoom so that what is at a point, measured from the frame's middle, stays there. */
export function zoomed(zoom: Zoom, factor: number, at: Point = { x: 0, y: 0 }): Zoom {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor));
  if (scale === 1) return WHOLE;
  const part = scale / zoom.scale;
  return { scale, x: at.x - (at.x - zoom.x) * part, y: at.y - (at.y - zoom.y) * part };
}

export function moved(zoom: Zoom, by: Point, frame: { readonly width: number; readonly height: number }): Zoom {
  const within = (value: number, side: number) => {
    const most = (side * (zoom.scale - 1)) / 2;
    return Math.min(most, Math.max(-most, value));
  };
  return { ...zoom, x: within(zoom.x + by.x, frame.width), y: within(zoom.y + by.y, frame.height) };
}
