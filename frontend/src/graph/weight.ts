/** What the nodes of a run weigh: the bytes of their results, and the peak of the device. */

/** Bytes below which a result is not worth a word: numbers and names weigh about half of it. */
export const LIGHT = 1_000;

export interface NodeFigures {
  readonly outcome: string;
  readonly seconds: number;
  readonly size: number;
  readonly peak: number;
}

export type Order = "time" | "memory";

/** The nodes that count in an order, the first ones before: those that ran, or those whose results weigh something. */
export function ranked<N extends NodeFigures>(nodes: readonly (readonly [string, N])[], order: Order): (readonly [string, N])[] {
  return order === "time"
    ? nodes.filter(([, { outcome }]) => outcome === "ran").sort(([, a], [, b]) => b.seconds - a.seconds)
    : nodes.filter(([, { size }]) => size >= LIGHT).sort(([, a], [, b]) => b.size - a.size);
}

/** The bytes of all results, and the highest peak. A result that two nodes share counts with both. */
export function weighed(nodes: readonly (readonly [string, NodeFigures])[]): { readonly size: number; readonly peak: number } {
  return nodes.reduce((sum, [, { size, peak }]) => ({ size: sum.size + size, peak: Math.max(sum.peak, peak) }), { size: 0, peak: 0 });
}
