/** How large a node will be drawn, before it is: for the layout of a workflow that was just opened. */

import type { Size } from "./layout";
import type { SceneNode } from "./scene";

export const NODE_WIDTH = 272;
const ROW = 30;

export function estimate({ type, rows }: SceneNode): Size {
  const outputs = Object.keys(type.outputs).length * 26;
  const inputs = rows.reduce((sum, { input, linked }) => {
    const isPrompt = input.widget.kind === "text" && input.widget.multiline;
    return sum + (linked || input.widget.kind === "none" ? 26 : isPrompt ? 110 : ROW + 4);
  }, 0);
  return { width: NODE_WIDTH, height: 64 + outputs + inputs + (type.isOutput ? 200 : 0) };
}
