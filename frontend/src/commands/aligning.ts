/** Aligning nodes, for the canvas to carry out. */

import { WAYS } from "../graph/align";
import { text } from "../text/en";
import type { Command } from "./list";

export const aligning = new EventTarget();

export const ALIGNING: readonly Command[] = WAYS.map((way) => ({
  id: `align-${way}`,
  title: text.align.ways[way],
  group: "edit",
  run: () => aligning.dispatchEvent(new CustomEvent("align", { detail: way })),
}));
