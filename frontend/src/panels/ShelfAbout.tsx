/** About the node that is pointed at, or has the focus: its help, what it takes and what it gives. */

import type { NodeType } from "../graph/catalogue";
import { typeTitle } from "../graph/links";
import { mainSockets } from "../graph/shelf";
import type { SocketType } from "../graph/sockets";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { Shape } from "./ShelfSockets";

const t = text.shelf;

/** What describes the line that has the focus. */
export const ABOUT = "shelf-about";

export function ShelfAbout({ type }: { readonly type: NodeType | null }) {
  const isList = useUi(({ view }) => view === "list");
  return (
    <section className="shelf-about" aria-label={t.about} tabIndex={0}>
      <div id={ABOUT}>{type === null ? <p className="quiet">{isList ? t.listHint : t.hint}</p> : <About type={type} />}</div>
    </section>
  );
}

function About({ type }: { readonly type: NodeType }) {
  const { inputs, outputs } = mainSockets(type);
  const taken = inputs.map(({ name, type: socket, required }) => ({ name, socket, note: required ? "" : t.optional }));
  const given = Object.entries(outputs).map(([name, socket]) => ({ name, socket, note: "" }));
  return (
    <>
      <h3>
        {type.title} <span className="quiet">{type.id}</span>
      </h3>
      {(type.help || t.nothingSaid).split("\n\n").map((part) => (
        <p key={part}>{part}</p>
      ))}
      <Sockets title={t.takes} sockets={taken} />
      <Sockets title={t.gives} sockets={given} />
    </>
  );
}

interface Named {
  readonly name: string;
  readonly socket: SocketType;
  readonly note: string;
}

function Sockets({ title, sockets }: { readonly title: string; readonly sockets: readonly Named[] }) {
  if (sockets.length === 0) return null;
  return (
    <div className="shelf-flow">
      <span className="quiet">{title}</span>
      <ul>
        {sockets.map(({ name, socket, note }) => (
          <li key={name} title={typeTitle(socket)}>
            <Shape type={socket} />
            {name.replaceAll("_", " ")}
            {note !== "" && <span className="quiet">{note}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
