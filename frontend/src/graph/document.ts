/** The workflow document. It is the editor's only truth: the canvas is drawn from it, and every edit makes another. */

import { text } from "../text/en";
import { isObject, sameJson, type Json, type JsonObject } from "./json";

/** Fields that this editor does not know stay where they are: every edit copies what it does not change. */
export interface NodeEntry {
  readonly type: string;
  readonly inputs?: Readonly<JsonObject>;
  readonly mode?: "bypass" | "mute";
  readonly version?: number;
  readonly title?: string;
}

export interface SubgraphEntry {
  readonly title?: string;
  readonly version?: number;
  readonly view?: Readonly<JsonObject>;
  readonly inputs?: Readonly<Record<string, { type: Json; default?: Json; help?: string }>>;
  readonly outputs?: Readonly<Record<string, { type: Json; from: string }>>;
  readonly nodes: Readonly<Record<string, NodeEntry>>;
}

export interface InputEntry {
  readonly to: readonly string[];
  readonly help?: string | null;
}

export interface Document {
  readonly nodegraph: 1;
  readonly name?: string;
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  readonly inputs?: Readonly<Record<string, InputEntry>>;
  readonly outputs?: Readonly<Record<string, { readonly from: string }>>;
  readonly subgraphs?: Readonly<Record<string, SubgraphEntry>>;
  readonly view?: Readonly<JsonObject>;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A place where a link can end: an input, or a member of a growing one (`images[0]`, `values.a`). */
export interface Port {
  readonly node: string;
  readonly port: string;
}

export interface Link {
  readonly from: Port;
  readonly to: Port;
}

export function emptyDocument(name = ""): Document {
  return { nodegraph: 1, name, nodes: {}, inputs: {}, outputs: {}, view: {} };
}

/** Read a document. The reason in words where it is none; everything else is the server's to judge. */
export function readDocument(data: Json | undefined): Document | string {
  if (!isObject(data)) return text.reasons.noObject;
  if (Number(data.nodegraph) !== 1) return text.reasons.noWorkflow;
  if (!isObject(data.nodes)) return text.reasons.noNodes;
  for (const [id, node] of Object.entries(data.nodes)) {
    if (!isObject(node) || typeof node.type !== "string") return text.reasons.noType(id);
    if (node.inputs !== undefined && !isObject(node.inputs)) return text.reasons.badInputs(id);
  }
  return data as unknown as Document;
}

/** The reference of a link, or null where the value is a literal. */
export function linkOf(value: Json | undefined): string | null {
  return isObject(value) && Object.keys(value).length === 1 && typeof value.from === "string" ? value.from : null;
}

/** The literal that is meant: `{"value": x}` escapes an object. */
export function literalOf(value: Json | undefined): Json | undefined {
  return isObject(value) && Object.keys(value).length === 1 && value.value !== undefined ? value.value : value;
}

export function asLiteral(value: Json): Json {
  return isObject(value) ? { value } : value;
}

/** `"node.output"` -> node and output; the output is null where the reference leaves it out. */
export function splitReference(reference: string): { node: string; output: string | null } {
  const dot = reference.indexOf(".");
  return dot < 0 ? { node: reference, output: null } : { node: reference.slice(0, dot), output: reference.slice(dot + 1) };
}

/** `"images[0]"` -> name and member. */
export function splitPort(port: string): { name: string; member: number | string | null } {
  const found = /^([^.[\]]+)(?:\[(\d+)\]|\.(.+))?$/.exec(port);
  if (!found?.[1]) return { name: port, member: null };
  return { name: found[1], member: found[2] !== undefined ? Number(found[2]) : (found[3] ?? null) };
}

export function entryOf(document: Document, id: string): NodeEntry | undefined {
  return Object.hasOwn(document.nodes, id) ? document.nodes[id] : undefined;
}

/** All links into a node, at top level and among the members of growing inputs. */
export function linksInto(entry: NodeEntry): { port: string; reference: string }[] {
  const found: { port: string; reference: string }[] = [];
  const look = (port: string, value: Json | undefined) => {
    const reference = linkOf(value);
    if (reference !== null) found.push({ port, reference });
    return reference !== null;
  };
  for (const [name, value] of Object.entries(entry.inputs ?? {})) {
    if (look(name, value)) continue;
    if (Array.isArray(value)) value.forEach((item, index) => look(`${name}[${index}]`, item));
    else if (isObject(value)) Object.entries(value).forEach(([key, item]) => look(`${name}.${key}`, item));
  }
  return found;
}

/** The stored position of a node, or null. */
export function positionOf(document: Document, id: string): Point | null {
  const nodes = document.view?.nodes;
  const place = isObject(nodes) ? nodes[id] : undefined;
  if (!isObject(place) || typeof place.x !== "number" || typeof place.y !== "number") return null;
  return { x: place.x, y: place.y };
}

/** Whether two documents are the same, whatever the order of their keys. */
export function sameDocument(a: Document, b: Document): boolean {
  return sameJson(a, b);
}
