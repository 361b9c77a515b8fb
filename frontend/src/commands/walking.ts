/** From node to node by keyboard: along links sideways, and to the next one up or down. */

import { positionOf } from "../graph/document";
import { linksOf } from "../graph/links";
import { chaptersIn } from "../graph/chapters";
import { sceneOf } from "../graph/scene";
import { useServer } from "../store/server";
import { show, useUi } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";
import { focusNode } from "../canvas/places";

export type Direction = "left" | "right" | "up" | "down";

export function walk(direction: Direction): void {
  const next = neighbour(direction);
  if (next === undefined) return;
  useWorkspace.getState().select([next]);
  show(next);
  focusNode(next);
}

function neighbour(direction: Direction): string | undefined {
  const document = activeDocument();
  if (document === undefined) return undefined;
  const [from] = useWorkspace.getState().selected;
  const { catalogue } = useServer.getState();
  const isList = useUi.getState().view === "list";
  const order = isList ? chaptersIn(document, sceneOf(document, catalogue)).flatMap(({ nodes }) => nodes) : null;
  if (from === undefined) return (order ?? Object.keys(document.nodes))[0];
  if (order !== null && (direction === "up" || direction === "down")) return order[order.indexOf(from) + (direction === "down" ? 1 : -1)];
  if (direction === "left" || direction === "right") {
    const links = linksOf(document, catalogue);
    return direction === "right" ? links.find((link) => link.from.node === from)?.to.node : links.find((link) => link.to.node === from)?.from.node;
  }
  const here = positionOf(document, from)?.y ?? 0;
  const sign = direction === "down" ? 1 : -1;
  return Object.keys(document.nodes)
    .filter((id) => id !== from && ((positionOf(document, id)?.y ?? 0) - here) * sign > 0)
    .sort((a, b) => ((positionOf(document, a)?.y ?? 0) - (positionOf(document, b)?.y ?? 0)) * sign)[0];
}
