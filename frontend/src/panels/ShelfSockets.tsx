/** What a node takes and gives, at a glance: the shapes and colours of its sockets. */

import { lookOf } from "../canvas/looks";
import type { NodeType } from "../graph/catalogue";
import { mainSockets } from "../graph/shelf";
import type { SocketType } from "../graph/sockets";

/** How many are drawn at each side. */
const MOST = 4;

export function SocketsOf({ type }: { readonly type: NodeType }) {
  const { inputs, outputs } = mainSockets(type);
  return (
    <span className="shelf-sockets" aria-hidden>
      <Shapes types={inputs.map((input) => input.type)} />
      <span className="shelf-arrow">›</span>
      <Shapes types={Object.values(outputs)} />
    </span>
  );
}

function Shapes({ types }: { readonly types: readonly SocketType[] }) {
  return (
    <>
      {types.slice(0, MOST).map((type, index) => (
        <Shape key={index} type={type} />
      ))}
      {types.length > MOST && <span className="shelf-more">+</span>}
    </>
  );
}

export function Shape({ type }: { readonly type: SocketType }) {
  const { colour, shape, many } = lookOf(type);
  return <span className={`socket-shape ${shape} ${many ? "many" : ""}`} style={{ "--colour": colour }} aria-hidden />;
}
