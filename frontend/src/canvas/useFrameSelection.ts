/** Groups and notes are selected with nodes: by the box that is drawn around them, and they come along when nodes are dragged. */

import { useReactFlow } from "@xyflow/react";
import { useRef, type MouseEvent } from "react";

import { positionOf, type Point } from "../graph/document";
import { framesOf, framesWithin, moveFrames } from "../graph/frames";
import { activeDocument, useWorkspace } from "../store/workspace";
import type { FlowEdge, FlowNode } from "./useScene";

/** Under which a drag of nodes is one step, groups and notes included. */
const DRAG = "drag with groups";

export function useFrameSelection(commitMoves: (moved: readonly FlowNode[], key?: string) => void) {
  const { screenToFlowPosition } = useReactFlow<FlowNode, FlowEdge>();
  const corner = useRef<Point | null>(null);
  const starts = useRef<Readonly<Record<string, Point>>>({});
  const { edit, select } = useWorkspace.getState();

  const begin = () => {
    const document = activeDocument();
    const known = document ? framesOf(document) : new Map<string, Point>();
    const { selectedFrames } = useWorkspace.getState();
    starts.current = Object.fromEntries(selectedFrames.flatMap((key) => (known.has(key) ? [[key, known.get(key) ?? { x: 0, y: 0 }]] : [])));
  };
  const follow = (moved: readonly FlowNode[]) => {
    const document = activeDocument();
    const [first] = moved;
    if (document === undefined || first === undefined || Object.keys(starts.current).length === 0) return;
    const before = positionOf(document, first.id);
    if (before === null) return;
    const by = { x: first.position.x - before.x, y: first.position.y - before.y };
    edit((one) => moveFrames(one, starts.current, by), DRAG);
  };
  const end = (moved: readonly FlowNode[]) => commitMoves(moved, Object.keys(starts.current).length > 0 ? DRAG : undefined);

  return {
    onNodeDragStart: begin,
    onNodeDrag: (_: unknown, __: FlowNode, moved: FlowNode[]) => follow(moved),
    onNodeDragStop: (_: unknown, __: FlowNode, moved: FlowNode[]) => end(moved),
    onSelectionDragStart: begin,
    onSelectionDrag: (_: unknown, moved: FlowNode[]) => follow(moved),
    onSelectionDragStop: (_: unknown, moved: FlowNode[]) => end(moved),
    onPaneClick: () => {
      if (useWorkspace.getState().selectedFrames.length > 0) select([]);
    },
    onSelectionStart: ({ clientX, clientY }: MouseEvent) => {
      corner.current = screenToFlowPosition({ x: clientX, y: clientY });
    },
    onSelectionEnd: ({ clientX, clientY }: MouseEvent) => {
      const document = activeDocument();
      if (document === undefined || corner.current === null) return;
      const [a, b] = [corner.current, screenToFlowPosition({ x: clientX, y: clientY })];
      const box = { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
      const { selected, selectedLinks } = useWorkspace.getState();
      select(selected, selectedLinks, framesWithin(document, box));
    },
  };
}
