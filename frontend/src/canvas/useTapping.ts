/** Links by fingers: a tap on one socket, then one on another. */

import type { MouseEvent } from "react";

import { portsOf, type SocketOf } from "../graph/partners";
import { knowledge } from "../store/server";
import { tell, useUi } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { link, verdictOf } from "./useLinking";

export function onTap(event: MouseEvent): void {
  if (!(event.target instanceof Element)) return;
  const { tapped } = useUi.getState();
  const socket = socketAt(event.target);
  if (socket === null) {
    // A tap beside it all ends it, as do all others but those on what tells of it.
    if (tapped !== null && event.target.closest(".tap-hint") === null) useUi.setState({ tapped: null });
    return;
  }
  // A field of an input means the field, until it is a link that is being made.
  if (tapped === null && event.target.closest(".field, .switch, .icon-button") !== null) return;
  event.preventDefault();
  event.stopPropagation();
  if (tapped === null || tapped.side === socket.side) begin(socket, tapped);
  else end(tapped, socket);
}

function begin(socket: SocketOf, before: SocketOf | null): void {
  const isSame = before?.node === socket.node && before.port === socket.port;
  useUi.setState({ tapped: isSame ? null : socket });
}

function end(one: SocketOf, other: SocketOf): void {
  const [from, to] = one.side === "out" ? [one, other] : [other, one];
  const verdict = verdictOf(from, to);
  if (!verdict.ok) {
    tell("error", text.canvas.refused, verdict.reason);
    return;
  }
  useUi.setState({ tapped: null });
  useWorkspace.getState().edit((document) => link(document, { node: from.node, port: from.port }, { node: to.node, port: to.port }));
}

/** The socket of the line that was tapped. */
function socketAt(target: Element): SocketOf | null {
  const place = target.closest<HTMLElement>("[data-row]")?.dataset.row;
  const node = target.closest<HTMLElement>(".node")?.dataset.node;
  const document = activeDocument();
  if (place === undefined || node === undefined || document === undefined) return null;
  return portsOf(document, node, knowledge().catalogue).find(({ side, port }) => `${side}:${port}` === place) ?? null;
}
