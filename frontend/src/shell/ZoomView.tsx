/** A picture that can be zoomed and moved: with the wheel, by dragging, by double click and by keys. */

import { useEffect, useRef, useState } from "react";

import { moved, WHOLE, zoomed } from "../graph/zoom";
import { text } from "../text/en";
import type { Shown } from "./CompareView";

const STEP = 1.4;

export function ZoomView({ picture }: { readonly picture: Shown }) {
  const [zoom, setZoom] = useState(WHOLE);
  const frame = useRef<HTMLDivElement>(null);
  const from = useRef<{ x: number; y: number } | null>(null);

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
        if (zoom.scale === 1) return;
        from.current = { x: event.clientX, y: event.clientY };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={({ clientX, clientY, currentTarget }) => {
        if (from.current === null) return;
        const by = { x: clientX - from.current.x, y: clientY - from.current.y };
        from.current = { x: clientX, y: clientY };
        setZoom(moved(zoom, by, currentTarget.getBoundingClientRect()));
      }}
      onPointerUp={() => {
        from.current = null;
      }}
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
