/** Widgets of plain JSON schemas: what the fields of a record, and all that lies in it, are written with. */

import { isObject, type Json, type JsonObject } from "./json";
import { orNothing, type RecordKind, type Widget, type Written } from "./widgets";

/** A seed is any unsigned 64-bit number, and no other input is. */
const LARGEST_SEED = 2 ** 64 - 1;
/** Records in records: deeper ones are written as JSON, also those that hold themselves. */
const DEEPEST = 4;

/** A schema with its reference followed; an empty one where there is none. */
export function resolved(schema: Json | undefined, defs: JsonObject): JsonObject {
  if (!isObject(schema)) return {};
  if (typeof schema.$ref !== "string") return schema;
  const target = defs[schema.$ref.replace(/^#\/\$defs\//, "")];
  return isObject(target) ? { ...target, ...rest(schema) } : {};
}

function rest({ $ref: _, ...others }: JsonObject): JsonObject {
  return others;
}

/** The schema of what is there, of one that also allows nothing. */
export function withoutNull(schema: JsonObject, defs: JsonObject): JsonObject {
  if (!Array.isArray(schema.anyOf)) return schema;
  const { anyOf, ...outer } = schema;
  const left = anyOf.filter((one) => !(isObject(one) && one.type === "null"));
  return left.length === 1 ? { ...outer, ...resolved(left[0], defs) } : { ...outer, anyOf: left };
}

export function widgetOfSchema(schema: JsonObject, defs: JsonObject, depth = 0): Widget {
  if (depth > DEEPEST) return { kind: "data" };
  if (Array.isArray(schema.enum)) return { kind: "menu", options: schema.enum.filter(isOption) };
  if (isOption(schema.const)) return { kind: "menu", options: [schema.const] };
  if (Array.isArray(schema.oneOf)) return variant(schema, schema.oneOf, defs, depth);
  if (Array.isArray(schema.anyOf)) return either(schema, schema.anyOf, defs, depth);
  switch (schema.type) {
    case "boolean":
      return { kind: "toggle" };
    case "integer":
    case "number":
      return number(schema, schema.type === "integer");
    case "string":
      if (schema.format === "color") return { kind: "colour", alpha: schema.alpha === true };
      return { kind: "text", multiline: schema.multiline === true };
    case "array":
      return isObject(schema.items) && Object.keys(schema.items).length > 0
        ? { kind: "list", item: widgetOfSchema(resolved(schema.items, defs), defs, depth + 1) }
        : { kind: "data" };
    case "object":
      return isObject(schema.properties)
        ? { kind: "record", discriminator: null, options: [recordKind(schema, defs, depth, null)] }
        : { kind: "data" };
    default:
      return { kind: "data" };
  }
}

/** One of several records, told apart by a field. */
function variant(schema: JsonObject, members: readonly Json[], defs: JsonObject, depth: number): Widget {
  const told = isObject(schema.discriminator) ? schema.discriminator.propertyName : undefined;
  if (typeof told !== "string") return { kind: "data" };
  const options = members.map((member) => recordKind(resolved(member, defs), defs, depth, told));
  return { kind: "record", discriminator: told, options };
}

function recordKind(schema: JsonObject, defs: JsonObject, depth: number, discriminator: string | null): RecordKind {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const own = discriminator === null ? undefined : properties[discriminator];
  const name = isObject(own) && typeof own.const === "string" ? own.const : String(schema.title ?? "");
  const fields = Object.entries(properties)
    // A field that can hold one value alone is nothing to be written.
    .filter(([field, one]) => field !== discriminator && !(isObject(one) && one.const !== undefined))
    .map(([field, one]): Written => {
      const inner = resolved(one, defs);
      return { name: field, help: textOf(inner.description), widget: widgetOfSchema(inner, defs, depth + 1), default: inner.default };
    });
  return { name, help: textOf(schema.description), fields };
}

function either(schema: JsonObject, members: readonly Json[], defs: JsonObject, depth: number): Widget {
  const inner = withoutNull(schema, defs);
  if (!Array.isArray(inner.anyOf)) return orNothing(widgetOfSchema(inner, defs, depth));
  const options = inner.anyOf.map((one) => {
    const member = resolved(one, defs);
    return { label: WORDS[String(member.type)] ?? textOf(member.title), widget: widgetOfSchema(member, defs, depth + 1) };
  });
  const union: Widget = { kind: "union", options };
  return inner.anyOf.length < members.length ? orNothing(union) : union;
}

const WORDS: Readonly<Record<string, string>> = {
  boolean: "yes or no",
  integer: "whole number",
  number: "number",
  string: "text",
  array: "list",
};

function number(schema: JsonObject, integer: boolean): Widget {
  const min = bound(schema.minimum ?? schema.exclusiveMinimum);
  const max = bound(schema.maximum ?? schema.exclusiveMaximum);
  if (integer && min === 0 && max === LARGEST_SEED) return { kind: "seed" };
  const multiple = bound(schema.multipleOf);
  return { kind: "number", integer, min, max, step: multiple ?? (integer ? 1 : stepFor(min, max)) };
}

function stepFor(min: number | null, max: number | null): number {
  return min !== null && max !== null && max - min <= 2 ? 0.01 : 0.1;
}

function bound(value: Json | undefined): number | null {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function isOption(value: Json | undefined): value is string | number | boolean | null {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
