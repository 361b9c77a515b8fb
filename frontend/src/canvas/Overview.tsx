/** The small map of the whole graph: nodes on a canvas element, what is seen in a frame. A press goes there. */

import { Panel, useReactFlow, useStoreApi } from "@xyflow/react";
import { useEffect, useRef, type PointerEvent } from "react";

import { between, fromMap, mapping, toMap, union, type Mapping } from "../graph/overview";
import type { Box } from "../graph/outline";
import { text } from "../text/en";
import { boxOf } from "./boxes";
import { categoryColour } from "./looks";
import { onTheme, palette } from "./palette";
import type { FlowNode } from "./useScene";

const MAP = { width: 200, height: 150 };
/** Pixels of the map: smaller nodes are drawn as large as this. */
const LEAST = 1.5;
const RADIUS = 12; // of a node, in the graph
/** Milliseconds between two maps of nodes that change, as those do that are dragged or measured. */
const NEWS = 80;
/** A wheel's way that doubles the zoom. */
const WHEEL = 500;

type Store = ReturnType<typeof useStoreApi>;

export function Overview({ nodes }: { readonly nodes: readonly FlowNode[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const store = useStoreApi();
  const map = useRef<LiveMap | null>(null);
  /** The map as it was when the pointer was pressed: it changes where the view leaves the graph. */
  const pressed = useRef<Mapping | null>(null);
  const { setCenter, getZoom } = useReactFlow();

  useEffect(() => {
    if (canvas.current === null || frame.current === null) return;
    const live = liveMap(canvas.current, frame.current, store);
    map.current = live;
    return live.end;
  }, [store]);
  useEffect(() => map.current?.show(nodes), [nodes]);

  const go = ({ currentTarget, clientX, clientY }: PointerEvent) => {
    if (pressed.current === null) return;
    const { left, top } = currentTarget.getBoundingClientRect();
    const { x, y } = fromMap(pressed.current, { x: clientX - left, y: clientY - top });
    void setCenter(x, y, { zoom: getZoom() });
  };
  return (
    <Panel position="bottom-right" className="overview" role="img" aria-label={text.canvas.overview}>
      <div
        className="overview-map"
        style={MAP}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          pressed.current = map.current?.now() ?? null;
          go(event);
        }}
        onPointerMove={go}
        onLostPointerCapture={() => (pressed.current = null)}
        onWheel={({ deltaY }) => void store.getState().panZoom?.scaleBy(2 ** (-deltaY / WHEEL))}
      >
        <canvas ref={canvas} style={MAP} />
        <div ref={frame} className="overview-view" />
      </div>
    </Panel>
  );
}

interface LiveMap {
  /** Show these nodes, soon. */
  readonly show: (nodes: readonly FlowNode[]) => void;
  /** How graph and map belong together now; null without nodes. */
  readonly now: () => Mapping | null;
  readonly end: () => void;
}

/** Nodes are drawn when they change; the view is followed by moving what is drawn. */
function liveMap(canvas: HTMLCanvasElement, frame: HTMLElement, store: Store): LiveMap {
  let nodes: readonly FlowNode[] = [];
  let whole: Box | null = null;
  let drawn: Mapping | null = null;
  let timer = 0;

  const now = () => whole && mapping(union([whole, seenOf(store)]) ?? whole, MAP);
  const follow = () => {
    const mapped = now();
    if (mapped === null || drawn === null) return;
    const { scale, x, y } = between(drawn, mapped);
    canvas.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    const box = toMap(mapped, seenOf(store));
    frame.style.transform = `translate(${box.x}px, ${box.y}px)`;
    frame.style.width = `${box.width}px`;
    frame.style.height = `${box.height}px`;
  };
  const draw = () => {
    timer = 0;
    whole = union(nodes.map(boxOf));
    drawn = whole && mapping(whole, MAP);
    paint(canvas, nodes, drawn);
    follow();
  };
  const show = (next: readonly FlowNode[]) => {
    nodes = next;
    if (timer === 0) timer = window.setTimeout(draw, drawn === null ? 0 : NEWS);
  };
  const ends = [onTheme(draw), store.subscribe(follow)];
  const end = () => {
    window.clearTimeout(timer);
    for (const one of ends) one();
  };
  return { show, now, end };
}

/** What of the graph is seen. */
function seenOf(store: Store): Box {
  const { transform, width, height } = store.getState();
  const [x, y, zoom] = transform;
  return { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
}

/** All nodes of a colour in one path. */
function paint(map: HTMLCanvasElement, nodes: readonly FlowNode[], drawn: Mapping | null): void {
  const ratio = window.devicePixelRatio || 1;
  map.width = Math.round(MAP.width * ratio);
  map.height = Math.round(MAP.height * ratio);
  const context = map.getContext("2d");
  if (context === null || drawn === null) return;
  const { scale, x, y } = drawn;
  context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
  const colours = palette(map);
  const paths = new Map<string, Path2D>();
  for (const node of nodes) {
    const colour = node.selected ? "--primary-strong" : categoryColour(node.data.scene.type.category);
    const path = paths.get(colour) ?? new Path2D();
    paths.set(colour, path);
    const box = boxOf(node);
    path.roundRect(box.x, box.y, Math.max(box.width, LEAST / scale), Math.max(box.height, LEAST / scale), RADIUS);
  }
  for (const [colour, path] of paths) {
    context.fillStyle = colours(colour);
    context.fill(path);
  }
}
