/** Where the dots of the canvas lie on the screen. */

/** From dot to dot, in the graph. */
export const DOTS = 24;
/** Pixels of the screen: where they would lie closer, every second row and column is left out. */
const CLOSEST = 10;

/** How far they lie apart on the screen. */
export function gapAt(zoom: number): number {
  let gap = DOTS * zoom;
  while (gap < CLOSEST) gap *= 2;
  return gap;
}

/** So far must a layer that begins one gap to the left be moved. */
export function within(at: number, gap: number): number {
  return ((at % gap) + gap) % gap;
}
