/** A mask as it is painted: what was done, one thing after the other, so that each can be undone. */

import type { Point } from "./document";

export type Stroke = {
  readonly kind: "stroke";
  readonly erases: boolean;
  /** Diameter in pixels of the picture. */
  readonly size: number;
  readonly points: readonly Point[];
};
export type Act = Stroke | { readonly kind: "clear" } | { readonly kind: "invert" };

export interface Painting {
  readonly done: readonly Act[];
  /** What was undone, the next to be redone at the end. */
  readonly undone: readonly Act[];
}

export const UNTOUCHED: Painting = { done: [], undone: [] };

export function act(painting: Painting, one: Act): Painting {
  return { done: [...painting.done, one], undone: [] };
}

export function undoAct({ done, undone }: Painting): Painting {
  const last = done.at(-1);
  return last === undefined ? { done, undone } : { done: done.slice(0, -1), undone: [...undone, last] };
}

export function redoAct({ done, undone }: Painting): Painting {
  const next = undone.at(-1);
  return next === undefined ? { done, undone } : { done: [...done, next], undone: undone.slice(0, -1) };
}

/** The brush one step larger or smaller: small ones change by a pixel, large ones by a tenth. */
export function resized(size: number, up: boolean, most: number): number {
  const next = up ? Math.max(size + 1, size * 1.15) : Math.min(size - 1, size / 1.15);
  return Math.round(Math.min(most, Math.max(1, next)));
}
