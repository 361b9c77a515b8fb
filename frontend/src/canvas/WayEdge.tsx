/** A link that is led through way points, which can be dragged. */

import { BaseEdge, EdgeLabelRenderer, useStore, type EdgeProps, type ReactFlowState } from "@xyflow/react";
import { useState } from "react";

import { curveThrough, pathOf } from "../graph/curve";
import type { Point } from "../graph/document";
import type { FlowEdge, FlowNode } from "./useScene";
import { WayPoint } from "./WayPoint";

interface Dragged {
  readonly index: number;
  readonly at: Point;
}

export function WayEdge(edge: EdgeProps<FlowEdge>) {
  const { id, source, target, sourceX, sourceY, targetX, targetY, data, style } = edge;
  const [dragged, setDragged] = useState<Dragged | null>(null);
  const shift = useShift(source, target);
  const points = (data?.points ?? []).map(({ x, y }, index) => (dragged?.index === index ? dragged.at : { x: x + shift.x, y: y + shift.y }));
  const path = pathOf(curveThrough([{ x: sourceX, y: sourceY }, ...points, { x: targetX, y: targetY }]));
  return (
    <>
      <BaseEdge id={id} path={path} {...(style ? { style } : {})} interactionWidth={20} />
      <EdgeLabelRenderer>
        {points.map((at, index) => (
          <WayPoint
            key={index}
            edge={edge}
            index={index}
            at={at}
            onDrag={(to) => setDragged(to && { index, at: to })}
          />
        ))}
      </EdgeLabelRenderer>
    </>
  );
}

/** How far both ends of a link are being dragged from where they stand: their way points go along. */
function useShift(source: string, target: string): Point {
  const moved = useStore((state: ReactFlowState) => {
    const [one, other] = [shiftOf(state, source), shiftOf(state, target)];
    return one === other ? one : "0 0";
  });
  const [x = 0, y = 0] = moved.split(" ").map(Number);
  return { x, y };
}

function shiftOf({ nodeLookup }: ReactFlowState, id: string): string {
  const node = nodeLookup.get(id);
  const placed = (node?.data as FlowNode["data"] | undefined)?.scene.position;
  return node && placed ? `${node.position.x - placed.x} ${node.position.y - placed.y}` : "0 0";
}
