/** Socket types: what flows over a link, as the catalogue writes it and as people say it. */

import { isObject, type Json } from "./json";

export type SocketType =
  | { kind: "scalar"; name: ScalarName }
  | { kind: "menu"; options: readonly (string | number)[] }
  | { kind: "choice"; registry: string }
  | { kind: "file"; files: string }
  | { kind: "list"; item: SocketType; wraps: boolean }
  | { kind: "optional"; item: SocketType }
  | { kind: "union"; options: readonly SocketType[] }
  | { kind: "generic"; name: string }
  | { kind: "subgraph"; takes: Types; gives: Types; each: string }
  | { kind: "record"; options: readonly string[]; discriminator: string | null }
  | { kind: "value"; name: string };

export type ScalarName = "bool" | "int" | "float" | "text";
export type Types = Readonly<Record<string, SocketType>>;

const SCALARS: Readonly<Record<ScalarName, string>> = {
  bool: "true or false",
  int: "whole number",
  float: "number",
  text: "text",
};
const ANYTHING: SocketType = { kind: "generic", name: "?" };

/** Read a type as the catalogue or a document writes it. What cannot be read fits anything: the server judges. */
export function readType(data: Json | undefined): SocketType {
  if (typeof data === "string") return readType({ type: data });
  if (!isObject(data) || typeof data.type !== "string") return ANYTHING;
  const name = data.type;
  switch (name) {
    case "bool":
    case "int":
    case "float":
    case "text":
      return { kind: "scalar", name };
    case "menu":
      return { kind: "menu", options: items(data.options).filter(isOption) };
    case "choice":
      return { kind: "choice", registry: String(data.registry) };
    case "file":
      return { kind: "file", files: String(data.kind) };
    case "list":
      return { kind: "list", item: readType(data.item), wraps: data.wraps === true };
    case "optional":
      return { kind: "optional", item: readType(data.item) };
    case "union":
      return { kind: "union", options: items(data.options).map(readType) };
    case "generic":
      return { kind: "generic", name: String(data.name) };
    case "subgraph":
      return { kind: "subgraph", takes: named(data.takes), gives: named(data.gives), each: String(data.each ?? "") };
    case "variant": {
      const discriminator = typeof data.discriminator === "string" ? data.discriminator : null;
      return { kind: "record", options: items(data.options).map(String), discriminator };
    }
    default:
      return { kind: "value", name };
  }
}

/** The type as a document writes it: a name, or an object where there is more to say. */
export function writeType(type: SocketType): Json {
  switch (type.kind) {
    case "scalar":
    case "value":
      return type.name;
    case "menu":
      return { type: "menu", options: [...type.options] };
    case "choice":
      return { type: "choice", registry: type.registry };
    case "file":
      return { type: "file", kind: type.files };
    case "list":
      return { type: "list", item: asObject(type.item), ...(type.wraps ? { wraps: true } : {}) };
    case "optional":
      return { type: "optional", item: asObject(type.item) };
    case "union":
      return { type: "union", options: type.options.map(asObject) };
    case "generic":
      return { type: "generic", name: type.name };
    case "record":
      return { type: "variant", options: [...type.options], discriminator: type.discriminator };
    case "subgraph":
      return { type: "subgraph", takes: asObjects(type.takes), gives: asObjects(type.gives), each: type.each };
  }
}

function asObject(type: SocketType): Json {
  const written = writeType(type);
  return typeof written === "string" ? { type: written } : written;
}

function asObjects(types: Types): Json {
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, asObject(type)]));
}

/** The type as a person would say it: the words of the engine, which the shared cases hold. */
export function wordsOf(type: SocketType): string {
  switch (type.kind) {
    case "scalar":
      return SCALARS[type.name];
    case "menu":
      return `one of ${type.options.join(", ")}`;
    case "choice":
      return `a name from ${type.registry}`;
    case "file":
      return `the name of a file in ${type.files}`;
    case "list":
      return `list of ${wordsOf(type.item)}`;
    case "optional":
      return `${wordsOf(type.item)} or nothing`;
    case "union":
      return type.options.map(wordsOf).join(" or ");
    case "generic":
      return `anything (${type.name})`;
    case "subgraph":
      return "the name of a subgraph";
    case "record":
      return `a record of ${type.options.map(spaced).join(" or ")}`;
    case "value":
      return spaced(type.name);
  }
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}

function items(data: Json | undefined): Json[] {
  return Array.isArray(data) ? data : [];
}

function isOption(value: Json): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function named(data: Json | undefined): Types {
  if (!isObject(data)) return {};
  return Object.fromEntries(Object.entries(data).map(([name, type]) => [name, readType(type)]));
}
