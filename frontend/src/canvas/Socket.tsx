/** The end of links: a handle with the colour and shape of its type. */

import { Handle, Position } from "@xyflow/react";

import { typeTitle } from "../graph/links";
import type { SocketType } from "../graph/sockets";
import { text } from "../text/en";
import { lookOf } from "./looks";

interface Props {
  readonly side: "in" | "out";
  readonly port: string;
  readonly type: SocketType;
  readonly linked?: boolean;
}

export function Socket({ side, port, type, linked = false }: Props) {
  const { colour, shape, many } = lookOf(type);
  const label = side === "in" ? text.node.input(port) : text.node.output(port);
  return (
    <Handle
      id={`${side}:${port}`}
      type={side === "in" ? "target" : "source"}
      position={side === "in" ? Position.Left : Position.Right}
      className="socket"
      aria-label={label}
      title={`${port.replaceAll("_", " ")}: ${typeTitle(type)}`}
    >
      <span
        className={`socket-shape ${shape} ${many ? "many" : ""} ${linked || side === "out" ? "" : "free"}`}
        style={{ "--colour": colour }}
      />
    </Handle>
  );
}
