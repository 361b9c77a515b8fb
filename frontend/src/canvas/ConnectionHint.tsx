/** While a link is dragged over a socket: whether it fits there, and why not. */

import { useConnection } from "@xyflow/react";

import { text } from "../text/en";
import { verdictOf } from "./useLinking";

export function ConnectionHint() {
  const connection = useConnection();
  const { fromHandle, toHandle, isValid, pointer } = connection;
  if (!fromHandle || !toHandle || isValid !== false || fromHandle.type === toHandle.type) return null;
  const a = { node: fromHandle.nodeId, port: (fromHandle.id ?? "").replace(/^(in|out):/, "") };
  const b = { node: toHandle.nodeId, port: (toHandle.id ?? "").replace(/^(in|out):/, "") };
  const verdict = fromHandle.type === "source" ? verdictOf(a, b) : verdictOf(b, a);
  return (
    <div className="connection-hint" style={{ left: pointer.x + 16, top: pointer.y + 12 }} role="status">
      <strong>{text.canvas.refused}</strong>
      {verdict.reason}
    </div>
  );
}
