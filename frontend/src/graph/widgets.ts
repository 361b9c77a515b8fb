/** Which widget an input gets: read off its socket type, and off its JSON schema. */

import { isObject, type Json, type JsonObject } from "./json";
import { resolved, withoutNull, widgetOfSchema } from "./schemas";
import type { SocketType } from "./sockets";

export type Widget =
  | { kind: "none" }
  | { kind: "number"; integer: boolean; min: number | null; max: number | null; step: number }
  | { kind: "seed" }
  | { kind: "text"; multiline: boolean }
  | { kind: "colour"; alpha: boolean }
  | { kind: "toggle" }
  | { kind: "menu"; options: readonly (string | number | boolean | null)[] }
  | { kind: "choice"; registry: string }
  | { kind: "file"; files: string }
  | { kind: "subgraph" }
  | { kind: "optional"; item: Widget }
  | { kind: "list"; item: Widget }
  /** One of several kinds of record, told apart by a field; a record alone has one kind. */
  | { kind: "record"; discriminator: string | null; options: readonly RecordKind[] }
  /** A value of one of several types. */
  | { kind: "union"; options: readonly { readonly label: string; readonly widget: Widget }[] }
  | { kind: "data" };

export interface RecordKind {
  readonly name: string;
  readonly help: string;
  readonly fields: readonly Written[];
}

/** Something that can be written: a field of a record, or an input. */
export interface Written {
  readonly name: string;
  readonly help: string;
  readonly widget: Widget;
  readonly default: Json | undefined;
}

export const RANDOM = "random";

/** The widget of an input. Widgets of types that only links bring are `none`. */
export function widgetOf(type: SocketType, schema: JsonObject, defs: JsonObject = defsOf(schema)): Widget {
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
      return orNothing(widgetOf(type.item, withoutNull(schema, defs), defs));
    case "list": {
      const item = widgetOf(type.item, resolved(schema.items, defs), defs);
      return item.kind === "none" ? item : { kind: "list", item };
    }
    case "union": {
      const members = Array.isArray(schema.anyOf) && schema.anyOf.length === type.options.length ? schema.anyOf : [];
      const options = type.options
        .map((option, index) => ({ label: labelOf(option), widget: widgetOf(option, resolved(members[index], defs), defs) }))
        .filter(({ widget }) => widget.kind !== "none");
      return options.length > 0 ? { kind: "union", options } : { kind: "none" };
    }
    case "record":
      return widgetOfSchema(schema, defs);
    case "generic":
    case "value":
      return { kind: "none" };
  }
}

/** A scalar has a schema of its own only where the catalogue says more: a document declares names alone. */
function scalar(name: string, schema: JsonObject): Widget {
  const types: Record<string, string> = { bool: "boolean", int: "integer", float: "number", text: "string" };
  return widgetOfSchema({ ...schema, type: types[name] ?? "string" }, {});
}

/** What may be left out: where there is a menu, nothing is one of its options. */
export function orNothing(inner: Widget): Widget {
  if (inner.kind === "none" || inner.kind === "optional") return inner;
  if (inner.kind === "toggle") return { kind: "menu", options: [null, true, false] };
  if (inner.kind === "menu") return { kind: "menu", options: [null, ...inner.options.filter((option) => option !== null)] };
  return { kind: "optional", item: inner };
}

export function defsOf(schema: JsonObject): JsonObject {
  return isObject(schema.$defs) ? schema.$defs : {};
}

function labelOf(type: SocketType): string {
  switch (type.kind) {
    case "scalar":
      return { bool: "yes or no", int: "whole number", float: "number", text: "text" }[type.name];
    case "menu":
    case "choice":
    case "file":
      return "name";
    case "record":
      return type.options.join(", ");
    default:
      return type.kind;
  }
}

/** The widget of a literal where its type says nothing of it; null where there is none. */
export function literalWidget(value: Json | undefined): Widget | null {
  switch (typeof value) {
    case "boolean":
      return { kind: "toggle" };
    case "number":
      return { kind: "number", integer: false, min: null, max: null, step: Number.isInteger(value) ? 1 : 0.1 };
    case "string":
      return { kind: "text", multiline: value.length > 40 || value.includes("\n") };
    case "undefined":
      return null;
    default:
      return value === null ? null : { kind: "data" };
  }
}

/** Whether a widget wants the whole width of a node, under its label. */
export function isWide(widget: Widget, value: Json | undefined): boolean {
  switch (widget.kind) {
    case "text":
      return widget.multiline;
    case "colour":
      return widget.alpha;
    case "data":
    case "list":
    case "record":
      return true;
    case "optional":
      return value !== undefined && value !== null && isWide(widget.item, value);
    case "union":
      return widget.options.some((option) => isWide(option.widget, value));
    default:
      return false;
  }
}

/** What a required input begins with when its node is added: a text is empty, a number as near to 0 as it may be. */
export function firstValue(widget: Widget): Json | undefined {
  switch (widget.kind) {
    case "number":
      return Math.min(widget.max ?? Infinity, Math.max(widget.min ?? 0, 0));
    case "seed":
      return 0;
    case "text":
      return "";
    case "colour":
      return widget.alpha ? "#000000ff" : "#000000";
    case "toggle":
      return false;
    case "menu":
      return widget.options[0];
    case "list":
      return [];
    case "union":
      return widget.options[0] && firstValue(widget.options[0].widget);
    case "record":
      return widget.options[0] && firstRecord(widget.options[0], widget.discriminator);
    default:
      return undefined;
  }
}

/** A record of a kind with what it cannot do without. */
export function firstRecord({ name, fields }: RecordKind, discriminator: string | null): JsonObject {
  const record: JsonObject = discriminator === null ? {} : { [discriminator]: name };
  for (const field of fields) {
    const value = field.default ?? (field.widget.kind === "optional" ? undefined : firstValue(field.widget));
    if (value !== undefined && value !== null) record[field.name] = value;
  }
  return record;
}

/** A record as another kind: what both kinds share stays as it was written, if the other kind can show it. */
export function asKind(record: Json | undefined, kind: RecordKind, discriminator: string | null): JsonObject {
  const first = firstRecord(kind, discriminator);
  if (!isObject(record)) return first;
  const shared = kind.fields
    .filter(({ name }) => name !== discriminator && record[name] !== undefined)
    .filter(({ name, widget }) => widget.kind === "data" || shows(widget, record[name]));
  return { ...first, ...Object.fromEntries(shared.map(({ name }) => [name, record[name] ?? null])) };
}

/** The kind that a record is of. */
export function kindOf(record: Json | undefined, options: readonly RecordKind[], discriminator: string | null): RecordKind | undefined {
  if (options.length === 1 || discriminator === null) return options[0];
  return isObject(record) ? options.find(({ name }) => name === record[discriminator]) : undefined;
}

/** Which option of a union a value is written as: the first that can show it. */
export function optionOf(value: Json | undefined, options: readonly { readonly widget: Widget }[]): number {
  return options.findIndex(({ widget }) => shows(widget, value));
}

function shows(widget: Widget, value: Json | undefined): boolean {
  switch (widget.kind) {
    case "number":
      return typeof value === "bigint" || (typeof value === "number" && (!widget.integer || Number.isInteger(value)));
    case "seed":
      return typeof value === "bigint" || typeof value === "number" || value === RANDOM;
    case "toggle":
      return typeof value === "boolean";
    case "menu":
      return widget.options.some((option) => option === value);
    case "text":
    case "colour":
    case "choice":
    case "file":
    case "subgraph":
      return typeof value === "string";
    case "list":
      return Array.isArray(value);
    case "record":
      return isObject(value);
    case "optional":
      return value === null || shows(widget.item, value);
    case "union":
      return optionOf(value, widget.options) >= 0;
    default:
      return value !== undefined;
  }
}

/** A name as a label. */
export function asLabel(name: string): string {
  return name.replaceAll("_", " ");
}
