/** The sockets of nodes, and which of them could be linked to a given one. */

import type { Verdict } from "./assignable";
import type { Catalogue } from "./catalogue";
import { positionOf, type Document } from "./document";
import { judge, type Knowledge } from "./links";
import { typeOf } from "./nodetypes";
import { rowsOf } from "./scene";
import { NEW } from "./scope";
import type { SocketType } from "./sockets";

export interface SocketOf {
  readonly node: string;
  readonly side: "in" | "out";
  readonly port: string;
  readonly label: string;
  readonly type: SocketType;
  readonly linked: boolean;
}

export interface Partner extends SocketOf {
  readonly title: string;
  readonly verdict: Verdict;
}

/** The sockets of a node: outputs first, as links are made from there more often. */
export function portsOf(document: Document, id: string, catalogue: Catalogue): SocketOf[] {
  const entry = document.nodes[id];
  if (entry === undefined) return [];
  const type = typeOf(document, id, catalogue);
  const outputs = Object.entries(type.outputs).map(([port, socket]): SocketOf => {
    return { node: id, side: "out", port, label: port === NEW ? port : port.replaceAll("_", " "), type: socket, linked: false };
  });
  const inputs = rowsOf(entry, type)
    .filter(({ input }) => input.type.kind !== "subgraph")
    .map(({ port, label, input, linked, isNew }): SocketOf => {
      return { node: id, side: "in", port, label: isNew ? `+ ${label}` : label, type: input.type, linked };
    });
  return [...outputs, ...inputs];
}

/** Where a link goes that is dropped on a node and on none of its sockets: a free place before one that is taken. */
export function placeIn(document: Document, socket: SocketOf, node: string, known: Knowledge): Partner | undefined {
  const fitting = partnersOf(document, socket, known, [node]).filter(({ verdict }) => verdict.ok);
  return fitting.find(({ type }) => type.kind !== "generic") ?? fitting[0];
}

/** All sockets on the other side, with a verdict each: those that fit first, and of these the nearest. */
export function partnersOf(document: Document, socket: SocketOf, known: Knowledge, among = Object.keys(document.nodes)): Partner[] {
  const own = { node: socket.node, port: socket.port };
  const here = positionOf(document, socket.node) ?? { x: 0, y: 0 };
  const distance = (id: string) => {
    const there = positionOf(document, id) ?? here;
    return Math.hypot(there.x - here.x, there.y - here.y);
  };
  return among
    .filter((id) => id !== socket.node)
    .flatMap((id) =>
      portsOf(document, id, known.catalogue)
        .filter(({ side }) => side !== socket.side)
        .map((other): Partner => {
          const end = { node: id, port: other.port };
          const verdict = socket.side === "out" ? judge(document, own, end, known) : judge(document, end, own, known);
          return { ...other, title: document.nodes[id]?.title ?? typeOf(document, id, known.catalogue).title, verdict };
        }),
    )
    .sort((a, b) => Number(b.verdict.ok) - Number(a.verdict.ok) || Number(a.linked) - Number(b.linked) || distance(a.node) - distance(b.node));
}
