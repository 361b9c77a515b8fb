/** Groups and notes are dragged, with what lies in them and with what else is selected. */

import { useReactFlow, useStore } from "@xyflow/react";
import { useRef, type PointerEvent } from "react";

import { type Box } from "../graph/annotations";
import { positionOf, type Document, type Point } from "../graph/document";
import { moveNodes } from "../graph/edits";
import { contents, framesOf, moveFrames } from "../graph/frames";
import { activeDocument, useWorkspace } from "../store/workspace";
import type { FlowNode } from "./useScene";

type Places = Readonly<Record<string, Point>>;

/** What moves, and where it was before. */
interface Moving {
  readonly nodes: Places;
  readonly frames: Places;
}

const NOTHING: Moving = { nodes: {}, frames: {} };

/** What a group or note takes along: what lies in it, and all that is selected if it is too. */
export function useMoving(key: string): () => Moving {
  const { getNodes } = useReactFlow<FlowNode>();
  return () => {
    const document = activeDocument();
    if (document === undefined) return NOTHING;
    const { selected, selectedFrames } = useWorkspace.getState();
    const isSelected = selectedFrames.includes(key);
    const boxes = new Map<string, Box>(
      getNodes().map(({ id, position, measured }) => [id, { ...position, width: measured?.width ?? 272, height: measured?.height ?? 160 }]),
    );
    const { nodes, frames } = contents(document, isSelected ? selectedFrames : [key], boxes);
    const known = framesOf(document);
    const ids = [...new Set([...nodes, ...(isSelected ? selected : [])])].filter((id) => Object.hasOwn(document.nodes, id));
    return {
      nodes: Object.fromEntries(ids.map((id) => [id, positionOf(document, id) ?? { x: 0, y: 0 }])),
      frames: Object.fromEntries(frames.flatMap((one) => (known.has(one) ? [[one, known.get(one) ?? { x: 0, y: 0 }]] : []))),
    };
  };
}

export function moved(document: Document, { nodes, frames }: Moving, by: Point): Document {
  const places = Object.entries(nodes).map(([id, { x, y }]) => [id, { x: x + by.x, y: y + by.y }] as const);
  const framed = moveFrames(document, frames, by);
  return places.length > 0 ? moveNodes(framed, Object.fromEntries(places)) : framed;
}

/** Drags in the canvas' own measure: what there was when it began, and how far it is by now. */
export function useDrag<T>(drag: (start: T, by: Point) => void) {
  const zoom = useStore(({ transform }) => transform[2]);
  const begun = useRef<{ x: number; y: number; start: T } | null>(null);
  return (start: () => T) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      begun.current = { x: event.clientX, y: event.clientY, start: start() };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = begun.current;
      if (from === null) return;
      const by = { x: (event.clientX - from.x) / zoom, y: (event.clientY - from.y) / zoom };
      if (by.x !== 0 || by.y !== 0) drag(from.start, by);
    },
    onPointerUp: () => {
      begun.current = null;
    },
  });
}
