/** Nodes that the library asks for get a free place on the canvas, and are brought into view. */

import { useReactFlow } from "@xyflow/react";
import { useEffect, type RefObject } from "react";

import { onPlacing } from "../commands/shelf";
import { positionOf, type Point } from "../graph/document";
import { NODE_WIDTH } from "../graph/estimate";
import { activeDocument, useWorkspace } from "../store/workspace";
import { addAt } from "./adding";
import { free, freeSpot } from "./places";

/** How much of a new node has to be seen. */
const SEEN = { x: NODE_WIDTH, y: 160 };

export function useShelfPlaces(box: RefObject<HTMLElement | null>): void {
  const { screenToFlowPosition, flowToScreenPosition, getZoom, setCenter } = useReactFlow();
  useEffect(
    () =>
      onPlacing((type) => {
        const document = activeDocument();
        if (document === undefined) return;
        const bounds = box.current?.getBoundingClientRect() ?? new DOMRect();
        const middle = screenToFlowPosition({ x: bounds.left + bounds.width / 2, y: bounds.top + bounds.height / 3 });
        const [selected] = useWorkspace.getState().selected;
        const at = selected !== undefined ? freeSpot(selected) : free(document, { x: middle.x - NODE_WIDTH / 2, y: middle.y });
        const place = positionOf(activeDocument() ?? document, addAt(type, at)) ?? at;
        if (!isSeen(bounds, flowToScreenPosition(place), flowToScreenPosition({ x: place.x + SEEN.x, y: place.y + SEEN.y }))) {
          void setCenter(place.x + SEEN.x / 2, place.y + SEEN.y / 2, { zoom: getZoom(), duration: 200 });
        }
      }),
    [box, screenToFlowPosition, flowToScreenPosition, getZoom, setCenter],
  );
}

function isSeen(bounds: DOMRect, corner: Point, opposite: Point): boolean {
  return corner.x >= bounds.left && corner.y >= bounds.top && opposite.x <= bounds.right && opposite.y <= bounds.bottom;
}
