/** The end of links: a handle with the colour and shape of its type. */

import { Handle, Position, useNodeId } from "@xyflow/react";
import { createContext, useContext } from "react";

import { typeTitle } from "../graph/links";
import type { SocketType } from "../graph/sockets";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { lookOf } from "./looks";

/** Whether the sockets of a node are reached with Tab: only those of the selected one, so that the way is short. */
export const Reached = createContext(false);

interface Props {
  readonly side: "in" | "out";
  readonly port: string;
  readonly type: SocketType;
  readonly linked?: boolean;
}

export function Socket({ side, port, type, linked = false }: Props) {
  const { colour, shape, many } = lookOf(type);
  const node = useNodeId() ?? "";
  const isReached = useContext(Reached);
  const open = () => {
    const name = port.replaceAll("_", " ");
    useUi.setState({ linking: { node, socket: { node, side, port, label: name, type, linked } } });
  };
  const label = side === "in" ? text.node.input(port) : text.node.output(port);
  return (
    <Handle
      id={`${side}:${port}`}
      type={side === "in" ? "target" : "source"}
      position={side === "in" ? Position.Left : Position.Right}
      className="socket"
      role="button"
      tabIndex={isReached ? 0 : -1}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        open();
      }}
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
