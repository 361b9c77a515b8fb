/** One way point: dragged with the pointer, moved with the arrow keys, removed with Delete or a double click. */

import { useReactFlow, type EdgeProps } from "@xyflow/react";
import { useRef, type KeyboardEvent, type PointerEvent } from "react";

import type { Point } from "../graph/document";
import { DOTS } from "../graph/dots";
import { movePoint, removePoint } from "../graph/reroutes";
import { useUi } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { snapped } from "./snapping";
import type { FlowEdge } from "./useScene";

interface Props {
  readonly edge: EdgeProps<FlowEdge>;
  readonly index: number;
  readonly at: Point;
  /** Where it is dragged to; null where that is over. */
  readonly onDrag: (at: Point | null) => void;
}

const NEAR = 3; // pixels that a hand trembles
const STEP = 8;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export function WayPoint({ edge: { id, data, style, selected = false }, index, at, onDrag }: Props) {
  const { screenToFlowPosition } = useReactFlow();
  const { edit, select } = useWorkspace.getState();
  const start = useRef<{ x: number; y: number; moved: Point | null } | null>(null);
  if (data === undefined) return null;
  const { from, to, points } = data;
  const link = { from, to };

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, y: event.clientY, moved: null };
  };
  const onPointerMove = ({ clientX, clientY }: PointerEvent<HTMLElement>) => {
    const begun = start.current;
    if (begun === null || (begun.moved === null && Math.hypot(clientX - begun.x, clientY - begun.y) < NEAR)) return;
    begun.moved = snapped(screenToFlowPosition({ x: clientX, y: clientY }, { snapToGrid: false }));
    onDrag(begun.moved);
  };
  const onPointerUp = () => {
    const moved = start.current?.moved;
    start.current = null;
    if (moved) edit((document) => movePoint(document, link, index, moved));
    else select([], [to]);
    onDrag(null);
  };
  const remove = () => {
    edit((document) => removePoint(document, link, index));
    focusLink(id);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const way = ARROWS[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (way !== undefined) {
      const step = useUi.getState().snap ? DOTS : STEP;
      const next = { x: at.x + way.x * step, y: at.y + way.y * step };
      edit((document) => movePoint(document, link, index, next), `way ${id} ${index}`);
    } else if (event.key === "Delete" || event.key === "Backspace") remove();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <button
      type="button"
      className={`way-point nodrag nopan${selected ? " is-selected" : ""}`}
      style={{ ...style, transform: `translate(-50%, -50%) translate(${at.x}px, ${at.y}px)` }}
      data-edge={id}
      data-index={index}
      aria-label={text.ways.point(index + 1, points.length, text.ways.link(`${from.node}.${from.port}`, `${to.node}.${to.port}`))}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={() => {
        start.current = null;
        onDrag(null);
      }}
      onDoubleClick={(event) => {
        event.stopPropagation();
        remove();
      }}
      onKeyDown={onKeyDown}
    />
  );
}

/** The focus stays at the link: at a way point that is left, or at the line. */
function focusLink(id: string): void {
  window.setTimeout(() => {
    const name = CSS.escape(id);
    const next = document.querySelector<HTMLElement>(`.way-point[data-edge="${name}"]`);
    (next ?? document.querySelector<SVGElement>(`.react-flow__edge[data-id="${name}"]`))?.focus({ preventScroll: true });
  });
}
