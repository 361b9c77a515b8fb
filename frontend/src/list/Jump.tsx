/** The other end of a link, as a button that leads there. */

import { goToNode } from "../commands/find";
import type { Port } from "../graph/document";
import { text } from "../text/en";
import { useTitle } from "./context";

interface Props {
  readonly to: Port;
  /** Whether the link comes from there. */
  readonly isSource?: boolean;
}

export function Jump({ to: { node, port }, isSource = false }: Props) {
  const title = useTitle(node);
  return (
    <button type="button" className="list-jump" title={text.list.go(title)} onClick={() => goToNode(node)}>
      {isSource && <span className="quiet">{text.list.from} </span>}
      <em>{title}</em> · {port.replaceAll("_", " ")}
    </button>
  );
}
