/** Which widget an input gets: read off its JSON schema and socket type. */

import type { Json, JsonObject } from "./json";
import type { SocketType } from "./sockets";

export type Widget =
  | { kind: "none" }
  | { kind: "number"; integer: boolean; min: number | null; max: number | null; step: number }
  | { kind: "seed" }
  | { kind: "text"; multiline: boolean }
  | { kind: "toggle" }
  | { kind: "menu"; options: readonly (string | number | boolean | null)[] }
  | { kind: "choice"; registry: string }
  | { kind: "file"; files: string }
  | { kind: "subgraph" }
  | { kind: "data" };

/** A seed is any unsigned 64-bit number, and no other input is. */
const LARGEST_SEED = 2 ** 64 - 1;
export const RANDOM = "random";

export function widgetOf(type: SocketType, schema: JsonObject): Widget {
  switch (type.kind) {
    case "scalar":
      return scalar(type.name, schema);
    case "menu":
      return { kind: "menu", options: type.options };
    case "choice":
      return { kind: "choice", registry: type.registry };
    case "file":
      return { kind: "file", files: type.files };
    case "subgraph":
      return { kind: "subgraph" };
    case "optional":
      return optional(type.item, schema);
    case "list":
      return isPlain(type.item) ? { kind: "data" } : { kind: "none" };
    case "union":
      return type.options.some(isPlain) ? { kind: "data" } : { kind: "none" };
    case "record":
      return { kind: "data" };
    case "generic":
    case "value":
      return { kind: "none" };
  }
}

/** What may be left out: a menu for yes, no and nothing; else the widget of what may be given. */
function optional(item: SocketType, schema: JsonObject): Widget {
  const inner = widgetOf(item, schema);
  if (inner.kind === "toggle") return { kind: "menu", options: [null, true, false] };
  if (inner.kind === "menu") return { kind: "menu", options: [null, ...inner.options] };
  return inner.kind === "none" ? inner : { kind: "data" };
}

function scalar(name: string, schema: JsonObject): Widget {
  if (name === "bool") return { kind: "toggle" };
  if (name === "text") return { kind: "text", multiline: schema.multiline === true };
  const min = bound(schema.minimum ?? schema.exclusiveMinimum);
  const max = bound(schema.maximum ?? schema.exclusiveMaximum);
  if (name === "int" && min === 0 && max === LARGEST_SEED) return { kind: "seed" };
  const integer = name === "int";
  const multiple = bound(schema.multipleOf);
  return { kind: "number", integer, min, max, step: multiple ?? (integer ? 1 : stepFor(min, max)) };
}

function stepFor(min: number | null, max: number | null): number {
  return min !== null && max !== null && max - min <= 2 ? 0.01 : 0.1;
}

function bound(value: Json | undefined): number | null {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
}

function isPlain(type: SocketType): boolean {
  if (type.kind === "list" || type.kind === "optional") return isPlain(type.item);
  if (type.kind === "union") return type.options.some(isPlain);
  return type.kind !== "value" && type.kind !== "generic" && type.kind !== "subgraph";
}

/** What a required input begins with when its node is added: a text is empty, a number the least it may be. */
export function firstValue(widget: Widget): Json | undefined {
  switch (widget.kind) {
    case "number":
      return widget.min ?? 0;
    case "text":
      return "";
    case "toggle":
      return false;
    case "menu":
      return widget.options[0];
    default:
      return undefined;
  }
}
