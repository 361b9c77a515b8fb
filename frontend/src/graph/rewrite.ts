/** Small changes of records, entries and the links in them. */

import { linkOf, type NodeEntry } from "./document";
import { isObject, type Json, type JsonObject } from "./json";

/** An entry with every link put through a change; null takes the link away. */
export function relink(entry: NodeEntry, follow: (reference: string) => string | null): NodeEntry {
  return mapValues(entry, (value) => {
    const reference = linkOf(value);
    if (reference === null) return value;
    const from = follow(reference);
    return from === null ? undefined : from === reference ? value : { from };
  });
}

/** An entry with its inputs and the members of growing ones changed; what becomes undefined is taken out.

The same entry where nothing changes, so that nothing redraws.
*/
export function mapValues(entry: NodeEntry, change: (value: Json) => Json | undefined): NodeEntry {
  if (entry.inputs === undefined) return entry;
  let isSame = true;
  const one = (value: Json): Json | undefined => {
    const after = change(value);
    if (after !== value) isSame = false;
    return after;
  };
  const deep = (value: Json): Json | undefined => {
    if (Array.isArray(value)) return value.map(one).filter((item) => item !== undefined);
    return !isObject(value) || isWritten(value) ? one(value) : mapped(value, one);
  };
  const inputs = mapped(entry.inputs, deep);
  return isSame ? entry : { ...entry, inputs };
}

/** A link, an input that is read, or an escaped literal, which is not looked into. */
function isWritten(value: JsonObject): boolean {
  const keys = Object.keys(value);
  return keys.length === 1 && ["from", "input", "value"].includes(keys[0] ?? "");
}

function mapped(record: Readonly<JsonObject>, change: (value: Json) => Json | undefined): JsonObject {
  const kept = Object.entries(record).flatMap(([key, value]) => {
    const after = change(value);
    return after === undefined ? [] : [[key, after] as const];
  });
  return Object.fromEntries(kept);
}

export function renameKey<T>(record: Readonly<Record<string, T>>, from: string, to: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key === from ? to : key, value]));
}

export function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([one]) => one !== key));
}

export function mapEntries(
  nodes: Readonly<Record<string, NodeEntry>>,
  change: (entry: NodeEntry, id: string) => NodeEntry,
): Record<string, NodeEntry> {
  return Object.fromEntries(Object.entries(nodes).map(([id, entry]) => [id, change(entry, id)]));
}
