/** The picture with its mask over it, which is painted with mouse, pen, finger or keys. */

import { useEffect, useLayoutEffect, useRef, type Dispatch, type PointerEvent, type RefObject, type SetStateAction } from "react";

import type { Point } from "../graph/document";
import type { Act, Painting, Stroke } from "../graph/painting";
import type { Pixels } from "../graph/png";
import { moved, zoomed, type Zoom } from "../graph/zoom";
import { text } from "../text/en";

interface Props {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly pixels: Pixels;
  readonly painting: Painting;
  readonly brush: Pick<Stroke, "erases" | "size">;
  readonly opacity: number;
  readonly zoom: Zoom;
  readonly setZoom: Dispatch<SetStateAction<Zoom>>;
  readonly add: (stroke: Stroke) => void;
}

const MIDDLE = 1;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export function MaskStage({ canvas, pixels, painting, brush, opacity, zoom, setZoom, add }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const ring = useRef<HTMLSpanElement>(null);
  const stroke = useRef<Point[] | null>(null);
  const pan = useRef<Point | null>(null);
  const at = useRef<Point>({ x: pixels.width / 2, y: pixels.height / 2 });
  const { width, height } = pixels;

  // What was undone has to vanish: the mask is drawn anew from what was there at first.
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d", { willReadFrequently: true });
    if (context) redraw(context, pixels, painting.done);
  }, [canvas, pixels, painting]);

  useEffect(() => {
    const element = stage.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top, width: wide, height: high } = element?.getBoundingClientRect() ?? new DOMRect();
      const from = { x: event.clientX - left - wide / 2, y: event.clientY - top - high / 2 };
      setZoom((now) => zoomed(now, Math.exp(-event.deltaY / 400), from));
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [setZoom]);

  useEffect(() => stage.current?.focus(), []);

  const pointOf = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
    const box = canvas.current?.getBoundingClientRect() ?? new DOMRect();
    return { x: ((clientX - box.left) / box.width) * width, y: ((clientY - box.top) / box.height) * height };
  };
  const moveRing = (to: Point) => {
    at.current = to;
    const style = ring.current?.style;
    style?.setProperty("left", `${(to.x / width) * 100}%`);
    style?.setProperty("top", `${(to.y / height) * 100}%`);
  };
  const paint = (points: readonly Point[]) => {
    const context = canvas.current?.getContext("2d", { willReadFrequently: true });
    if (context) draw(context, { kind: "stroke", ...brush, points });
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.button === MIDDLE) pan.current = { x: event.clientX, y: event.clientY };
    if (event.button !== 0 || !event.isPrimary) return;
    const point = pointOf(event);
    stroke.current = [point];
    moveRing(point);
    paint([point]);
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (pan.current !== null) {
      const by = { x: event.clientX - pan.current.x, y: event.clientY - pan.current.y };
      pan.current = { x: event.clientX, y: event.clientY };
      const frame = event.currentTarget.getBoundingClientRect();
      setZoom((now) => moved(now, by, frame));
      return;
    }
    if (!event.isPrimary) return;
    // A quick pen reports more places than there are events.
    const told = event.nativeEvent.getCoalescedEvents();
    const points = (told.length > 0 ? told : [event]).map(pointOf);
    moveRing(points.at(-1) ?? at.current);
    const last = stroke.current?.at(-1);
    if (stroke.current === null || last === undefined) return;
    stroke.current.push(...points);
    paint([last, ...points]);
  };
  const end = () => {
    if (stroke.current !== null) add({ kind: "stroke", ...brush, points: stroke.current });
    stroke.current = null;
    pan.current = null;
  };

  return (
    <div
      ref={stage}
      className="mask-stage"
      role="application"
      tabIndex={0}
      aria-label={text.mask.stage}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={end}
      onPointerCancel={end}
      onKeyDown={(event) => {
        const arrow = ARROWS[event.key];
        if (arrow === undefined && event.key !== " " && event.key !== "Enter") return;
        event.preventDefault();
        const from = at.current;
        const by = Math.max(1, brush.size / 4);
        const to = arrow ? { x: within(from.x + arrow.x * by, width), y: within(from.y + arrow.y * by, height) } : from;
        moveRing(to);
        if (!arrow || event.shiftKey) add({ kind: "stroke", ...brush, points: [from, to] });
      }}
    >
      <div
        className="mask-sheet"
        style={{ "--aspect": width / height, transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
      >
        <Picture pixels={pixels} />
        <canvas ref={canvas} width={width} height={height} style={{ opacity }} data-mask="" />
        <span
          ref={ring}
          className={`mask-ring ${brush.erases ? "is-eraser" : ""}`}
          style={{ width: `${(brush.size / width) * 100}%`, left: "50%", top: "50%" }}
        />
      </div>
    </div>
  );
}

/** The picture as if nothing of it were transparent. */
function Picture({ pixels: { width, height, rgba } }: { readonly pixels: Pixels }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const opaque = new Uint8ClampedArray(rgba);
    for (let at = 3; at < opaque.length; at += 4) opaque[at] = 255;
    canvas.current?.getContext("2d")?.putImageData(new ImageData(opaque, width, height), 0, 0);
  }, [width, height, rgba]);
  return <canvas ref={canvas} width={width} height={height} aria-hidden />;
}

/** The mask that is painted: 255 where the picture may change. */
export function maskOf(canvas: HTMLCanvasElement): Uint8Array {
  const { width, height } = canvas;
  const data = canvas.getContext("2d", { willReadFrequently: true })?.getImageData(0, 0, width, height).data;
  return Uint8Array.from({ length: width * height }, (_, at) => data?.[at * 4 + 3] ?? 0);
}

function redraw(context: CanvasRenderingContext2D, { width, height, rgba }: Pixels, done: readonly Act[]): void {
  const [red = 0, green = 0, blue = 0] = paintColour(context.canvas);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let at = 0; at < data.length; at += 4) data.set([red, green, blue, 255 - (rgba[at + 3] ?? 255)], at);
  context.putImageData(new ImageData(data, width, height), 0, 0);
  for (const one of done) draw(context, one);
}

/** Only how opaque the mask is counts; its colour is for the eyes. */
function draw(context: CanvasRenderingContext2D, one: Act): void {
  const { width, height } = context.canvas;
  const colour = `rgb(${paintColour(context.canvas).join(" ")})`;
  context.fillStyle = colour;
  context.strokeStyle = colour;
  if (one.kind === "clear") {
    context.clearRect(0, 0, width, height);
    return;
  }
  if (one.kind === "invert") {
    // Opaque over all of it, but for what was there.
    context.globalCompositeOperation = "xor";
    context.fillRect(0, 0, width, height);
  } else {
    context.globalCompositeOperation = one.erases ? "destination-out" : "source-over";
    context.lineCap = "round";
    context.lineJoin = "round";
    context.lineWidth = one.size;
    context.beginPath();
    one.points.forEach(({ x, y }, index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    context.stroke();
    // A line that leads nowhere is not drawn, a dab is.
    const [first] = one.points;
    context.beginPath();
    if (first) context.arc(first.x, first.y, one.size / 2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalCompositeOperation = "source-over";
}

function paintColour(canvas: HTMLCanvasElement): number[] {
  const [, digits = "000000"] = /#([0-9a-f]{6})/i.exec(getComputedStyle(canvas).getPropertyValue("--mask-paint")) ?? [];
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
}

function within(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
