/** A picture that can be zoomed and moved: with the wheel, two fingers, by dragging, by double click and by keys. */

import { useEffect, useRef, useState } from "react";

import type { Point } from "../graph/document";
import { moved, WHOLE, zoomed } from "../graph/zoom";
import { text } from "../text/en";
import type { Shown } from "./CompareView";

const STEP = 1.4;

export function ZoomView({ picture }: { readonly picture: Shown }) {
  const [zoom, setZoom] = useState(WHOLE);
  const frame = useRef<HTMLDivElement>(null);
  /** The fingers on it, or the mouse that is pressed. */
  const held = useRef(new Map<number, Point>());

  useEffect(() => {
    const element = frame.current;
    // Not React's: only a listener that is not passive may keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      setZoom((now) => zoomed(now, Math.exp(-event.deltaY / 400), fromMiddle(element, event)));
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, []);

  return (
    <div
      ref={frame}
      className={`zoom-view ${zoom.scale > 1 ? "is-near" : ""}`}
      role="group"
      tabIndex={0}
      aria-label={text.results.zoomable}
      data-scale={zoom.scale}
      onKeyDown={({ key }) => {
        if (key === "+" || key === "=") setZoom(zoomed(zoom, STEP));
        if (key === "-") setZoom(zoomed(zoom, 1 / STEP));
        if (key === "0") setZoom(WHOLE);
      }}
      onDoubleClick={(event) => setZoom(zoom.scale > 1 ? WHOLE : zoomed(zoom, 3, fromMiddle(frame.current, event)))}
      onPointerDown={(event) => {
        held.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={({ pointerId, clientX, clientY, currentTarget }) => {
        const before = held.current.get(pointerId);
        if (before === undefined) return;
        held.current.set(pointerId, { x: clientX, y: clientY });
        const [other] = [...held.current].filter(([id]) => id !== pointerId).map(([, at]) => at);
        const by = { x: clientX - before.x, y: clientY - before.y };
        setZoom((now) => {
          if (other === undefined) return now.scale > 1 ? moved(now, by, currentTarget.getBoundingClientRect()) : now;
          const middle = { clientX: (clientX + other.x) / 2, clientY: (clientY + other.y) / 2 };
          const factor = Math.hypot(clientX - other.x, clientY - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
          return zoomed(now, factor, fromMiddle(frame.current, middle));
        });
      }}
      onPointerUp={({ pointerId }) => held.current.delete(pointerId)}
      onPointerCancel={({ pointerId }) => held.current.delete(pointerId)}
    >
      <img
        src={picture.url}
        alt={text.results.picture(picture.title)}
        draggable={false}
        style={{ transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
      />
    </div>
  );
}

function fromMiddle(element: HTMLElement | null, { clientX, clientY }: { clientX: number; clientY: number }) {
  const { left, top, width, height } = element?.getBoundingClientRect() ?? new DOMRect();
  return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
}
