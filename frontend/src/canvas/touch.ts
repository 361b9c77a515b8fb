/** Fingers on the canvas: whether the last touch was one, and the gestures that a mouse has keys for. */

import { useEffect, useRef, type MouseEvent, type PointerEvent, type TouchEvent } from "react";

import type { Point } from "../graph/document";

const HOLD = 550;
const TWICE = 320;
/** How far a finger may wander and still mean the same place. */
const WANDER = 12;

let pointer = "mouse";
if (typeof document !== "undefined") {
  document.addEventListener("pointerdown", ({ pointerType }) => (pointer = pointerType), true);
}

/** Whether what happens now was done with a finger. A click does not tell that everywhere. */
export function isTouch(): boolean {
  return pointer === "touch";
}

interface Gestures {
  /** A finger is held still. */
  readonly onHold: (target: EventTarget, at: Point) => void;
  readonly onDoubleTap: (target: EventTarget, at: Point) => void;
  /** A tap that is none of these, before anything else hears of it. */
  readonly onTap: (event: MouseEvent) => void;
}

export function useGestures({ onHold, onDoubleTap, onTap }: Gestures) {
  const timer = useRef(0);
  const start = useRef<Point | null>(null);
  const last = useRef<(Point & { time: number }) | null>(null);
  const fingers = useRef(0);
  const isHeld = useRef(false);
  const cancel = () => {
    window.clearTimeout(timer.current);
    start.current = null;
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return {
    onPointerDownCapture: (event: PointerEvent) => {
      if (event.pointerType !== "touch") return;
      fingers.current = event.isPrimary ? 1 : fingers.current + 1;
      isHeld.current = false;
      cancel();
      if (fingers.current > 1) return;
      const at = { x: event.clientX, y: event.clientY };
      const { target } = event;
      start.current = at;
      timer.current = window.setTimeout(() => {
        last.current = null;
        isHeld.current = true;
        onHold(target, at);
      }, HOLD);
    },
    onPointerMoveCapture: (event: PointerEvent) => {
      if (start.current !== null && isAway(start.current, event)) cancel();
    },
    onPointerCancelCapture: cancel,
    onPointerUpCapture: cancel,
    // The finger that was held still is lifted: that is no tap, and takes no focus from what was opened.
    onTouchEndCapture: (event: TouchEvent) => {
      if (isHeld.current) event.preventDefault();
    },
    onClickCapture: (event: MouseEvent) => {
      if (isTouch()) onTap(event);
    },
    // What opens when the finger is lifted would take the click that follows.
    onClick: (event: MouseEvent) => {
      if (!isTouch()) return;
      const now = { x: event.clientX, y: event.clientY, time: event.timeStamp };
      const isSecond = last.current !== null && now.time - last.current.time < TWICE && !isAway(last.current, event, 2 * WANDER);
      last.current = isSecond ? null : now;
      if (isSecond) onDoubleTap(event.target, now);
    },
  };
}

function isAway(from: Point, { clientX, clientY }: MouseEvent, wander = WANDER): boolean {
  return Math.hypot(clientX - from.x, clientY - from.y) > wander;
}
