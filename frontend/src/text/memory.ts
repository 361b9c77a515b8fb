/** The texts of what a run's results weigh. */

import { widget } from "./fields";

const told = widget.size;

export const memory = {
  beside: (words: string, size: number) => `${words} · ${told(size)}`,
  told,
  result: (size: number) => `Its result takes ${told(size)}.`,
  peak: (peak: number) => `The device held ${told(peak)} at most, weights included.`,
  peakShort: (peak: number) => `${told(peak)} on the device at most`,
  all: (size: number) => `Results: ${told(size)}.`,
  order: "Order of the nodes",
  orders: { time: "By time", memory: "By memory" },
  light: "No result is worth a word.",
} as const;
