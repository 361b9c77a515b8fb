/** What the canvas draws of a document: nodes with their rows, links with their types. */

import type { Catalogue, InputSpec, NodeType } from "./catalogue";
import { collapsedIn } from "./collapse";
import { commentOn } from "./comments";
import { linkOf, literalOf, positionOf, type Document, type NodeEntry, type Point, type Port } from "./document";
import { isObject, sameJson, type Json } from "./json";
import { linksOf } from "./links";
import { typeOf } from "./nodetypes";
import { pointsOf, waysOf } from "./reroutes";
import { NEW } from "./scope";
import type { SocketType } from "./sockets";
import { literalWidget } from "./widgets";

/** One line of a node: an input, or a member of a growing one; `isNew` is the place where another can be linked. */
export interface Row {
  readonly port: string;
  readonly label: string;
  readonly input: InputSpec;
  readonly value: Json | undefined;
  readonly linked: boolean;
  readonly isNew: boolean;
}

export interface SceneNode {
  readonly id: string;
  readonly entry: NodeEntry;
  readonly type: NodeType;
  readonly position: Point;
  readonly rows: readonly Row[];
  /** Whether its head alone is drawn. */
  readonly collapsed: boolean;
  readonly comment: string;
}

export interface SceneLink {
  readonly id: string;
  readonly from: Port;
  readonly to: Port;
  readonly type: SocketType;
  /** Where it is led through. */
  readonly points: readonly Point[];
}

export interface Scene {
  readonly nodes: ReadonlyMap<string, SceneNode>;
  readonly links: readonly SceneLink[];
}

export const EMPTY_SCENE: Scene = { nodes: new Map(), links: [] };
const ANYTHING: SocketType = { kind: "generic", name: "?" };

/** The scene of a document. Nodes that did not change are those of the scene before, so that nothing redraws. */
export function sceneOf(document: Document, catalogue: Catalogue, before: Scene = EMPTY_SCENE): Scene {
  const nodes = new Map<string, SceneNode>();
  const closed = collapsedIn(document);
  Object.entries(document.nodes).forEach(([id, entry], index) => {
    const old = before.nodes.get(id);
    const type = typeOf(document, id, catalogue);
    const position = positionOf(document, id) ?? old?.position ?? { x: (index % 6) * 340, y: Math.floor(index / 6) * 320 };
    const collapsed = closed.has(id);
    const comment = commentOn(document, id);
    const isAsSeen = old?.collapsed === collapsed && old.comment === comment;
    const isSame = isAsSeen && old.entry === entry && sameJson(old.position, position) && (old.type === type || sameJson(old.type, type));
    nodes.set(id, isSame ? old : { id, entry, type, position, rows: rowsOf(entry, type), collapsed, comment });
  });
  const ways = waysOf(document.view);
  const known = new Map(before.links.map((link) => [link.id, link]));
  const links = linksOf(document, catalogue).map(({ from, to }): SceneLink => {
    const id = `${from.node}.${from.port}>${to.node}.${to.port}`;
    const type = nodes.get(from.node)?.type.outputs[from.port] ?? ANYTHING;
    const points = pointsOf(ways, { from, to });
    const old = known.get(id);
    return old?.type === type && (old.points === points || sameJson(old.points, points)) ? old : { id, from, to, type, points };
  });
  return { nodes, links };
}

/** The rows of a node; inputs that its type does not know stand at the end. */
export function rowsOf(entry: NodeEntry, type: NodeType): Row[] {
  const rows = type.inputs.flatMap((input) => inputRows(input, entry.inputs?.[input.name]));
  const known = new Set(type.inputs.map(({ name }) => name));
  for (const [name, value] of Object.entries(entry.inputs ?? {})) {
    if (!known.has(name)) rows.push(row(unknownInput(name), name, name, value));
  }
  return rows;
}

function inputRows(input: InputSpec, value: Json | undefined): Row[] {
  if (input.growing === "list") {
    const items = Array.isArray(value) ? value : [];
    return [
      ...items.map((item, index) => row(input, `${input.name}[${index}]`, `${input.name} ${index + 1}`, item)),
      { ...row(input, `${input.name}[${items.length}]`, input.name, undefined), isNew: true },
    ];
  }
  if (input.growing === "named") {
    const named = isObject(value) && linkOf(value) === null ? value : {};
    return [
      ...Object.entries(named).map(([key, item]) => row(input, `${input.name}.${key}`, key, item)),
      { ...row(input, `${input.name}.${freshMember(named)}`, input.name, undefined), isNew: true },
    ];
  }
  return [{ ...row(input, input.name, input.name.replaceAll("_", " "), value), isNew: input.name === NEW }];
}

/** Whether a row is a member that has a name of its own. */
export function isNamed({ input, isNew }: Row): boolean {
  return input.growing === "named" && !isNew;
}

/** The input of a row, called as the row is: a member goes by its place or its name. */
export function specOf({ input, label }: Row): InputSpec {
  return input.growing === null ? input : { ...input, name: label };
}

function row(input: InputSpec, port: string, label: string, value: Json | undefined): Row {
  const linked = linkOf(value) !== null;
  // What takes anything is written as what it holds.
  const written = !linked && input.widget.kind === "none" ? literalWidget(literalOf(value)) : null;
  return { port, label, input: written ? { ...input, widget: written } : input, value, linked, isNew: false };
}

/** The next name for a member: a, b, c … */
function freshMember(named: Readonly<Record<string, Json>>): string {
  for (let number = 0; ; number += 1) {
    const letter = String.fromCharCode(97 + (number % 26));
    const name = number < 26 ? letter : `${letter}${Math.floor(number / 26)}`;
    if (!Object.hasOwn(named, name)) return name;
  }
}

function unknownInput(name: string): InputSpec {
  return { name, required: false, help: "", type: ANYTHING, growing: null, widget: { kind: "data" }, default: undefined };
}
