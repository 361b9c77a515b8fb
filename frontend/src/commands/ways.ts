/** Way points on links, for the canvas to carry out: it alone knows where a link runs. */

import type { Point, Port } from "../graph/document";
import { tell } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";

export const leading = new EventTarget();

/** A link by its end, and where on the screen; null is the middle of the link. */
export interface WayWish {
  readonly to: Port;
  readonly screen: Point | null;
}

export function addWay(to: Port, screen: Point | null): void {
  leading.dispatchEvent(new CustomEvent<WayWish>("add", { detail: { to, screen } }));
}

export function addWaysToSelected(): void {
  const { selectedLinks } = useWorkspace.getState();
  for (const to of selectedLinks) addWay(to, null);
  if (selectedLinks.length === 0) tell("info", text.ways.select);
}
