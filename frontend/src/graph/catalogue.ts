/** Node types as the editor uses them: inputs with socket type and widget, outputs in order. */

import { isObject, type Json, type JsonObject } from "./json";
import { readType, type SocketType, type Types } from "./sockets";
import { defsOf, widgetOf, type Widget } from "./widgets";

export interface InputSpec {
  readonly name: string;
  readonly required: boolean;
  readonly help: string;
  /** What a link into the input, or into one member of a growing input, is judged against. */
  readonly type: SocketType;
  readonly growing: "list" | "named" | null;
  readonly widget: Widget;
  readonly default: Json | undefined;
}

export interface NodeType {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly category: string;
  readonly help: string;
  readonly pack: string;
  readonly isOutput: boolean;
  readonly deprecated: string | null;
  readonly experimental: boolean;
  readonly inputs: readonly InputSpec[];
  readonly outputs: Types;
  /** Stands for a type that the server does not know: what the node says of itself is all there is. */
  readonly isPlaceholder?: boolean;
}

export type Catalogue = ReadonlyMap<string, NodeType>;

/** One entry of the catalogue as it travels. */
export interface NodeTypeData {
  id: string;
  version: number;
  title: string;
  category: string;
  help: string;
  pack: string;
  output: boolean;
  deprecated: string | null;
  experimental: boolean;
  inputs: Record<string, { required: boolean; schema: Record<string, unknown> }>;
  outputs: Record<string, unknown>;
}

export function readCatalogue(data: readonly NodeTypeData[]): Catalogue {
  return new Map(data.map((one) => [one.id, readNodeType(one)]));
}

function readNodeType(data: NodeTypeData): NodeType {
  const { id, version, title, category, help, pack, deprecated, experimental } = data;
  const inputs = Object.entries(data.inputs).map(([name, { required, schema }]) =>
    readInput(name, required, schema as JsonObject),
  );
  const outputs = Object.entries(data.outputs).map(([name, type]) => [name, readType(type as Json)] as const);
  return {
    id,
    version,
    title,
    category,
    help,
    pack,
    deprecated,
    experimental,
    isOutput: data.output,
    inputs,
    outputs: Object.fromEntries(outputs),
  };
}

/** An input from its JSON schema. */
export function readInput(name: string, required: boolean, schema: JsonObject): InputSpec {
  const growing = schema["x-growing"] === "list" || schema["x-growing"] === "named" ? schema["x-growing"] : null;
  const inner = growing === "list" ? schema.items : growing === "named" ? schema.additionalProperties : schema;
  const member = isObject(inner) ? inner : {};
  const type = readType(member["x-socket"]);
  return {
    name,
    required,
    help: typeof schema.description === "string" ? schema.description : "",
    type,
    growing,
    // Of a growing input: what each of its members is written with.
    widget: widgetOf(type, member, defsOf(schema)),
    default: schema.default,
  };
}
