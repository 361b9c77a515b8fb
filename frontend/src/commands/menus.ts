/** What can be done with a node, an input, an output or a link: for menus on the canvas and in the list. */

import { withInput } from "../graph/border";
import { definitionRunBy } from "../graph/definitions";
import type { Document, Point, Port } from "../graph/document";
import { disconnect, setInput } from "../graph/edits";
import { exposedAs, expose, freshInput, hide } from "../graph/interface";
import type { SocketOf } from "../graph/partners";
import { removePoint, setPoints } from "../graph/reroutes";
import type { Row, SceneLink } from "../graph/scene";
import { ENTRANCE, isBoundary, isBoundaryEntry } from "../graph/scope";
import { lookAt } from "../store/look";
import { knowledge } from "../store/server";
import { useUi } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { commandOf } from "./list";
import { lookAtSource } from "./looking";
import { addWay } from "./ways";

export interface Entry {
  readonly label: string;
  /** The shortcut that does the same. */
  readonly keys?: string;
  /** Whether a line stands above it. */
  readonly apart?: boolean;
  readonly run: () => void;
}

const t = text.commands;
const { edit } = useWorkspace.getState();

const CLOSING = 50;

/** The menu gives the focus back first: what takes it elsewhere waits for that. */
export const later = (run: () => void) => () => void window.setTimeout(run, CLOSING);

/** Beside a node it need not be said which. */
const SHORT = text.menu.short;

const OF_NODES = [
  ["link", "run-to", "look"],
  ["rename", "comment", "duplicate", "copy", "bypass", "mute", "collapse", "group"],
  ["help", "delete"],
] as const;

/** The commands that act on the selected nodes. */
export function nodeEntries(document: Document, id: string): Entry[] {
  const groups: (readonly string[])[] = isBoundary(id) ? [["link"]] : [...OF_NODES];
  const entry = document.nodes[id];
  if (entry && definitionRunBy(document, entry) !== null) groups.unshift(["enter", "ungroup"]);
  return groups.flatMap((names, group) => names.flatMap((name, index) => entryOf(name, group > 0 && index === 0)));
}

/** What can be done where nothing is. */
export function canvasEntries(add: () => void): Entry[] {
  const names = ["shelf", "paste", "note", "select-all", "layout", "fit", "find", "shortcuts"];
  return [{ label: t.add, keys: "Space", run: later(add) }, ...names.flatMap((name) => entryOf(name, name === "select-all"))];
}

function entryOf(name: string, apart: boolean): Entry[] {
  const command = commandOf(name);
  if (command === undefined) return [];
  const { title, keys, run } = command;
  const label = Object.hasOwn(SHORT, name) ? SHORT[name as keyof typeof SHORT] : title;
  return [{ label, ...(keys?.[0] ? { keys: keys[0] } : {}), apart, run: later(run) }];
}

export function wayEntries(link: SceneLink, index: number, at: Point): Entry[] {
  const remove = { label: text.ways.remove, keys: "Delete", run: () => edit((one) => removePoint(one, link, index)) };
  return [remove, ...linkEntries(link, at)];
}

export function linkEntries({ from, to, points }: SceneLink, at: Point): Entry[] {
  const straighten = { label: text.ways.straighten, run: () => edit((one) => setPoints(one, { from, to }, [])) };
  return [
    { label: text.look.look, run: later(() => void lookAt(from, at)) },
    { label: text.ways.add, run: () => addWay(to, at) },
    ...(points.length > 0 ? [straighten] : []),
    { label: t.unlink, run: () => edit((one) => disconnect(one, [to])) },
  ];
}

/** What can be written where anything may stand. */
const FIRSTS = [
  { kind: "text", value: "" },
  { kind: "number", value: 0 },
  { kind: "toggle", value: false },
] as const;

function writing(place: Port, { input, linked, value }: Row): Entry[] {
  if (input.type.kind !== "generic" || linked || value !== undefined || isBoundary(place.node)) return [];
  return FIRSTS.map((first) => ({ label: t.write[first.kind], run: () => edit((one) => setInput(one, place, first.value)) }));
}

/** An input: its link, its default, and its name as an input of the whole. */
export function inputEntries(document: Document, node: string, row: Row): Entry[] {
  const { port, label, input, linked, isNew } = row;
  const place = { node, port };
  const linking = input.type.kind === "subgraph" ? [] : [linkEntry({ node, side: "in", port, label, type: input.type, linked })];
  linking.push(...writing(place, row));
  if (isNew) return linking;
  const isInside = isBoundaryEntry(document.nodes[ENTRANCE]);
  const named = exposedAs(document, place);
  const name = freshInput(document, input.name);
  const entries: (Entry | false)[] = [
    linked && { label: text.look.look, run: later(() => lookAtSource(place)) },
    linked && { label: t.unlink, run: () => edit((one) => disconnect(one, [place])) },
    !linked && input.default !== undefined && { label: t.reset, run: () => edit((one) => setInput(one, place, input.default)) },
    isInside && !linked && { label: text.subgraph.exposed(input.name), run: () => edit((one) => withInput(one, place, knowledge())) },
    !isInside && !linked && named.length === 0 && { label: t.exposed(name), run: () => edit((one) => expose(one, name, place)) },
  ];
  const hiding = named.map((one): Entry => ({ label: t.hidden(one), run: () => edit((doc) => hide(doc, one)) }));
  return [...linking, ...entries.filter((entry) => entry !== false), ...hiding];
}

export function outputEntries(socket: SocketOf, at: Point): Entry[] {
  const port: Port = { node: socket.node, port: socket.port };
  return [linkEntry(socket), { label: text.look.look, run: later(() => void lookAt(port, at)) }];
}

function linkEntry(socket: SocketOf): Entry {
  return { label: text.link.open, run: later(() => openLinking(socket)) };
}

/** The list of what a socket can be linked to. */
export function openLinking(socket: SocketOf): void {
  useUi.setState({ linking: { node: socket.node, socket } });
}
