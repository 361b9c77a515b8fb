/** How large a node will be drawn, before it is: for the layout of a workflow that was just opened. */

import { literalOf } from "./document";
import { isObject, type Json } from "./json";
import type { Size } from "./layout";
import { IMAGES } from "./pictures";
import type { SceneNode } from "./scene";
import { kindOf, optionOf, type Widget } from "./widgets";

export const NODE_WIDTH = 272;
const HEAD = 38;
const ROW = 34;
/** The picture that a node loads, and the button below it. */
const PICTURE = 176;

export function estimate({ type, rows, collapsed, comment }: SceneNode): Size {
  if (collapsed) return { width: NODE_WIDTH, height: HEAD };
  const outputs = Object.keys(type.outputs).length * 26;
  const inputs = rows.reduce((sum, { input, linked, value, isNew }) => {
    if (linked || isNew || input.widget.kind === "none") return sum + 26;
    return sum + heightOf(input.widget, value === undefined ? input.default : literalOf(value));
  }, 0);
  return { width: NODE_WIDTH, height: 64 + commentHeight(comment) + outputs + inputs + (type.isOutput ? 200 : 0) };
}

/** A comment is shown in four lines at most. */
function commentHeight(comment: string): number {
  const lines = comment.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 42)), 0);
  return comment === "" ? 0 : 12 + 17 * Math.min(4, lines);
}

function heightOf(widget: Widget, value: Json | undefined): number {
  switch (widget.kind) {
    case "text":
      return widget.multiline ? 110 : ROW;
    case "file":
      return ROW + (widget.files === IMAGES && typeof value === "string" ? PICTURE : 0);
    case "colour":
      return widget.alpha ? 2 * ROW : ROW;
    case "list":
      return 2 * ROW + (Array.isArray(value) ? value.reduce((sum: number, item) => sum + heightOf(widget.item, item), 0) : 0);
    case "record": {
      const record = isObject(value) ? value : {};
      const fields = kindOf(value, widget.options, widget.discriminator)?.fields ?? [];
      return fields.reduce((sum, field) => sum + heightOf(field.widget, record[field.name] ?? field.default), 2 * ROW);
    }
    case "optional":
      return value === undefined || value === null ? ROW : heightOf(widget.item, value);
    case "union": {
      const option = widget.options[optionOf(value, widget.options)];
      return option ? heightOf(option.widget, value) : ROW;
    }
    default:
      return ROW;
  }
}
