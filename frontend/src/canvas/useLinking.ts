/** Links by hand: made, moved to another socket, taken off, and told why they do not fit. */

import {
  useReactFlow,
  type Connection,
  type FinalConnectionState,
  type Edge,
  type HandleType,
} from "@xyflow/react";
import { useCallback, useRef } from "react";

import type { Document, Port } from "../graph/document";
import { join } from "../graph/border";
import { disconnect } from "../graph/edits";
import { inputOf, typeOf } from "../graph/nodetypes";
import { judge, outputType, typeTitle } from "../graph/links";
import { placeIn, portsOf } from "../graph/partners";
import type { Verdict } from "../graph/assignable";
import type { Wanted } from "../graph/search";
import { knowledge } from "../store/server";
import { tell, useUi } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import type { FlowEdge } from "./useScene";

type End = Connection | Edge;

/** The output and the input of a connection. */
export function endsOf({ source, sourceHandle, target, targetHandle }: End): { from: Port; to: Port } {
  return {
    from: { node: source, port: (sourceHandle ?? "").replace(/^out:/, "") },
    to: { node: target, port: (targetHandle ?? "").replace(/^in:/, "") },
  };
}

export function verdictOf(from: Port, to: Port): Verdict {
  const document = activeDocument();
  if (document === undefined) return { ok: false, reason: "" };
  return judge(document, from, to, knowledge());
}

export function link(document: Document, from: Port, to: Port): Document {
  return join(document, from, to, knowledge());
}

export function useLinking() {
  const { screenToFlowPosition } = useReactFlow();
  const { edit } = useWorkspace.getState();
  const moving = useRef<{ edge: FlowEdge; done: boolean } | null>(null);

  const isValidConnection = useCallback((one: End) => {
    const { from, to } = endsOf(one);
    return verdictOf(from, to).ok;
  }, []);

  const onConnect = useCallback(
    (connection: Connection) => {
      const { from, to } = endsOf(connection);
      edit((document) => link(document, from, to));
    },
    [edit],
  );

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      if (state.isValid || moving.current !== null || state.fromHandle === null) return;
      const own = portOf(state.fromHandle);
      if (state.toHandle) {
        const other = portOf(state.toHandle);
        const isOutput = state.fromHandle.type === "source";
        if (state.toHandle.type === state.fromHandle.type) return;
        const verdict = isOutput ? verdictOf(own, other) : verdictOf(other, own);
        if (!verdict.ok) tell("error", text.canvas.refused, verdict.reason);
        return;
      }
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (point === undefined) return;
      const screen = { x: point.clientX, y: point.clientY };
      const node = document.elementFromPoint(screen.x, screen.y)?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
      if (node !== undefined) {
        if (node !== own.node) linkToNode(own, state.fromHandle.type === "source" ? "out" : "in", node);
        return;
      }
      const wanted = wantedBy(own, state.fromHandle.type);
      if (wanted) useUi.setState({ adding: { screen, at: screenToFlowPosition(screen), wanted, link: own } });
    },
    [screenToFlowPosition],
  );

  const onReconnectStart = useCallback((_: unknown, edge: FlowEdge) => {
    moving.current = { edge, done: false };
  }, []);

  const onReconnect = useCallback(
    (edge: FlowEdge, connection: Connection) => {
      if (moving.current) moving.current.done = true;
      const { from, to } = endsOf(connection);
      edit((document) => link(disconnect(document, [endsOf(edge).to]), from, to));
    },
    [edit],
  );

  /** A link that is dropped on empty canvas is taken off. One that is dropped where it does not fit stays. */
  const onReconnectEnd = useCallback(
    (_: unknown, edge: FlowEdge, __: HandleType, state: FinalConnectionState) => {
      const isDone = moving.current?.done ?? false;
      moving.current = null;
      if (isDone || state.isValid) return;
      if (state.toHandle === null) edit((document) => disconnect(document, [endsOf(edge).to]));
    },
    [edit],
  );

  return { isValidConnection, onConnect, onConnectEnd, onReconnectStart, onReconnect, onReconnectEnd };
}

/** A link that is dropped on a node, wherever: at the first place that it fits. */
function linkToNode(own: Port, side: "in" | "out", node: string): void {
  const whole = activeDocument();
  const sockets = whole ? portsOf(whole, own.node, knowledge().catalogue) : [];
  const socket = sockets.find((one) => one.port === own.port && one.side === side);
  if (whole === undefined || socket === undefined) return;
  const place = placeIn(whole, socket, node, knowledge());
  if (place === undefined) {
    tell("error", text.canvas.refused, text.link.noPlace(typeTitle(socket.type), titleOf(whole, node)));
    return;
  }
  const other = { node, port: place.port };
  useWorkspace.getState().edit((one) => (side === "out" ? link(one, own, other) : link(one, other, own)));
}

function titleOf(whole: Document, id: string): string {
  return whole.nodes[id]?.title ?? typeOf(whole, id, knowledge().catalogue).title;
}

function portOf({ nodeId, id }: { nodeId: string; id?: string | null }): Port {
  return { node: nodeId, port: (id ?? "").replace(/^(in|out):/, "") };
}

/** What a node has to have so that a link from here fits it. */
export function wantedBy(port: Port, side: HandleType): Wanted | null {
  const document = activeDocument();
  if (document === undefined) return null;
  if (side === "source") {
    const type = outputType(document, port, knowledge());
    return type && { end: "output", type };
  }
  const type = inputOf(typeOf(document, port.node, knowledge().catalogue), port.port)?.type;
  return type ? { end: "input", type } : null;
}
