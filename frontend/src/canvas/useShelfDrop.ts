/** A node of the library is dropped onto the canvas, or into a link of it. */

import { useReactFlow } from "@xyflow/react";
import { useCallback, useState, type DragEvent } from "react";

import type { Link, Point } from "../graph/document";
import { NODE_WIDTH } from "../graph/estimate";
import type { Scene } from "../graph/scene";
import { NODE_TYPE, useShelf } from "../store/shelf";
import { activeDocument } from "../store/workspace";
import { addAt, fitsInto } from "./adding";
import { focusNode } from "./places";

/** How far beside a link still means the link, in pixels. */
const NEAR = 12;
const AROUND: readonly (readonly [number, number])[] = [[0, 0], [NEAR, 0], [-NEAR, 0], [0, NEAR], [0, -NEAR]];
/** Where the pointer holds a node: in the middle of its head. */
const HELD = { x: NODE_WIDTH / 2, y: 18 };

/** The link that a dragged node is over, and whether it fits into it. */
export interface DropHint {
  readonly edge: string;
  readonly link: Link;
  readonly fits: boolean;
  /** On the screen. */
  readonly at: Point;
}

export function useShelfDrop(scene: Scene) {
  const { screenToFlowPosition } = useReactFlow();
  const [hint, setHint] = useState<DropHint | null>(null);
  const leave = useCallback(() => setHint(null), []);
  const onDragOver = (event: DragEvent) => {
    const { dragged } = useShelf.getState();
    if (dragged === null || !event.dataTransfer.types.includes(NODE_TYPE)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    const edge = edgeAt(event);
    const link = scene.links.find(({ id }) => id === edge);
    const document = activeDocument();
    const at = { x: event.clientX, y: event.clientY };
    setHint((before) => {
      if (edge === null || link === undefined || document === undefined) return null;
      // Whether it fits is judged once for each link.
      const fits = before?.edge === edge ? before.fits : fitsInto(document, dragged, link);
      return { edge, link, fits, at };
    });
  };
  const onDrop = (event: DragEvent) => {
    const { dragged } = useShelf.getState();
    setHint(null);
    if (dragged === null || !event.dataTransfer.types.includes(NODE_TYPE)) return;
    event.preventDefault();
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const edge = edgeAt(event);
    const into = scene.links.find(({ id }) => id === edge) ?? null;
    useShelf.setState({ dragged: null });
    focusNode(addAt(dragged, { x: x - HELD.x, y: y - HELD.y }, into));
  };
  const onDragLeave = (event: DragEvent) => {
    if (!(event.relatedTarget instanceof Node) || !event.currentTarget.contains(event.relatedTarget)) leave();
  };
  return { hint, onDragOver, onDrop, onDragLeave };
}

/** The link at the pointer or close by; over a node there is none. */
function edgeAt({ target, clientX, clientY }: DragEvent): string | null {
  if (!(target instanceof Element) || target.closest(".react-flow__node") !== null) return null;
  for (const [x, y] of AROUND) {
    const found = document.elementFromPoint(clientX + x, clientY + y)?.closest<SVGElement>(".react-flow__edge");
    if (found?.dataset.id !== undefined) return found.dataset.id;
  }
  return null;
}
