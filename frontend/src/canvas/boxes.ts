/** Where nodes lie, and how large they are: as measured, or as large as they will be, about. */

import type { Box } from "../graph/outline";
import type { FlowNode } from "./useScene";

export function boxOf({ position, measured, initialWidth = 0, initialHeight = 0 }: FlowNode): Box {
  return { ...position, width: measured?.width ?? initialWidth, height: measured?.height ?? initialHeight };
}
