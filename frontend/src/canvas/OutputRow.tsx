/** An output of a node: its name, which opens a look at its value, and its socket. */

import type { MouseEvent } from "react";

import type { SocketType } from "../graph/sockets";
import { lookAt } from "../store/look";
import { text } from "../text/en";
import { Socket } from "./Socket";

interface Props {
  readonly node: string;
  readonly name: string;
  readonly type: SocketType;
}

export function OutputRow({ node, name, type }: Props) {
  const look = (event: MouseEvent<HTMLElement>) => {
    const { right, top, height } = event.currentTarget.getBoundingClientRect();
    void lookAt({ node, port: name }, { x: right, y: top + height / 2 });
  };
  return (
    // A click on the socket is one on its row; the button is for the keyboard, and says what happens.
    <li data-row={`out:${name}`} onClick={look}>
      <button type="button" className="output-name nodrag" title={text.look.hint}>
        {name.replaceAll("_", " ")}
      </button>
      <Socket side="out" port={name} type={type} />
    </li>
  );
}
