/** An output in the list: who reads it, and a look at its value. */

import { Eye, Link2 } from "lucide-react";
import { memo } from "react";

import { openLinking } from "../commands/menus";
import { lookOf } from "../canvas/looks";
import { typeTitle } from "../graph/links";
import { isBoundary } from "../graph/scope";
import type { SocketType } from "../graph/sockets";
import { IconButton } from "../shell/IconButton";
import { lookAt } from "../store/look";
import { text } from "../text/en";
import { useReaders } from "./context";
import { Label } from "./InputLine";
import { Jump } from "./Jump";

interface Props {
  readonly node: string;
  readonly port: string;
  readonly type: SocketType;
  /** What it is called where its name says nothing. */
  readonly label?: string | undefined;
}

export const OutputLine = memo(function OutputLine({ node, port, type, label = port.replaceAll("_", " ") }: Props) {
  const readers = useReaders(node, port);
  return (
    <li className="list-line is-output" data-row={`out:${port}`}>
      <Label label={label} type={typeTitle(type)} colour={lookOf(type).colour} />
      <span className="list-value is-readers">
        <span className="quiet">{readers.length > 0 ? text.list.readBy : text.list.unread}</span>
        {readers.map((reader) => (
          <Jump key={`${reader.node}.${reader.port}`} to={reader} />
        ))}
      </span>
      <span className="list-tools">
        <IconButton
          label={text.list.link(label)}
          icon={Link2}
          onClick={() => openLinking({ node, side: "out", port, label, type, linked: false })}
        />
        {!isBoundary(node) && (
          <IconButton
            label={text.list.look(label)}
            icon={Eye}
            onClick={({ currentTarget }) => {
              const { left, bottom } = currentTarget.getBoundingClientRect();
              void lookAt({ node, port }, { x: left, y: bottom });
            }}
          />
        )}
      </span>
    </li>
  );
});
