/** JSON that loses nothing: whole numbers that a double cannot hold (64-bit seeds) become bigints. */

import { isInteger, isSafeNumber, parse, stringify } from "lossless-json";

export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Parse JSON. Throws SyntaxError. */
export function parseJson(text: string): Json {
  return parse(text, null, numberOf) as Json;
}

/** JSON text of plain data, bigints as numbers. */
export function printJson(value: unknown, indent?: number): string {
  return stringify(value, null, indent) ?? "null";
}

function numberOf(text: string): number | bigint {
  return isInteger(text) && !isSafeNumber(text) ? BigInt(text) : Number(text);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two pieces of plain data are the same, whatever the order of their keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && sameJson(a[key], b[key]));
}
