/** Drawing a large graph on one canvas element: a thousand boxes that the browser would each keep as a layer. */

import { curveThrough } from "../graph/curve";
import type { Point } from "../graph/document";
import type { Box, Line } from "../graph/outline";
import { wrapped } from "../graph/outline";
import { categoryColour, lookOf } from "./looks";
import { palette, type Colours } from "./palette";
import type { FlowNode } from "./useScene";

/** What is drawn of one node besides its box. */
export type Mark = "selected" | "bad" | "running" | null;

export interface Picture {
  readonly nodes: readonly FlowNode[];
  readonly boxes: ReadonlyMap<string, Box>;
  readonly lines: readonly Line[];
  readonly markOf: (node: FlowNode) => Mark;
}

export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

const TITLE = 38;
const LINE = TITLE * 1.1;
const READABLE = 5; // pixels of the screen
const INSET = 12;
const RADIUS = 10;

/** Draw what of the picture a canvas of this size shows. Sizes are in pixels of the page. */
export function paint(canvas: HTMLCanvasElement, picture: Picture, view: View, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(ratio * view.zoom, 0, 0, ratio * view.zoom, ratio * view.x, ratio * view.y);
  const seen: Box = { x: -view.x / view.zoom, y: -view.y / view.zoom, width: width / view.zoom, height: height / view.zoom };
  const colours = palette(canvas);
  paintLines(context, picture.lines, seen, colours);
  context.font = `600 ${TITLE}px ${colours("--font")}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const node of picture.nodes) {
    const box = picture.boxes.get(node.id);
    if (box !== undefined && touches(box, seen)) paintNode(context, node, box, picture.markOf(node), view.zoom, colours);
  }
  context.globalAlpha = 1;
}

/** All lines of a colour in one stroke. */
function paintLines(context: CanvasRenderingContext2D, lines: readonly Line[], seen: Box, colours: Colours): void {
  const paths = new Map<string, Path2D>();
  for (const { from, to, link, points } of lines) {
    const reach = Math.max(60, Math.abs(to.x - from.x) / 2);
    if (!touches(around(points, reach), seen)) continue;
    const { colour } = lookOf(link.type);
    const path = paths.get(colour) ?? new Path2D();
    paths.set(colour, path);
    path.moveTo(from.x, from.y);
    if (points.length === 2) path.bezierCurveTo(from.x + reach, from.y, to.x - reach, to.y, to.x, to.y);
    else for (const one of curveThrough(points)) path.bezierCurveTo(one.a.x, one.a.y, one.b.x, one.b.y, one.to.x, one.to.y);
  }
  context.lineWidth = 8;
  context.globalAlpha = 0.75;
  for (const [colour, path] of paths) {
    context.strokeStyle = colours(colour);
    context.stroke(path);
  }
  context.globalAlpha = 1;
}

function around(points: readonly Point[], reach: number): Box {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs) - reach, Math.min(...ys)];
  return { x: left, y: top, width: Math.max(...xs) + reach - left, height: Math.max(...ys) - top };
}

function paintNode(
  context: CanvasRenderingContext2D,
  { data }: FlowNode,
  box: Box,
  mark: Mark,
  zoom: number,
  colours: Colours,
): void {
  const { entry, type } = data.scene;
  const accent = colours(categoryColour(type.category));
  const strength = entry.mode ? 0.5 : 1;
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, RADIUS);
  context.fillStyle = colours("--surface");
  context.fill();
  const isReadable = TITLE * zoom >= READABLE;
  context.globalAlpha = (isReadable ? 0.22 : 0.6) * strength; // without a title the colour tells all
  context.fillStyle = accent;
  context.fill();
  context.globalAlpha = mark === null ? 0.7 * strength : 1;
  context.lineWidth = mark === null ? 4 : Math.max(8, 2 / zoom);
  context.strokeStyle = mark === null ? accent : colours(MARKS[mark]);
  context.stroke();
  context.globalAlpha = strength;
  if (!isReadable) return;
  context.fillStyle = colours("--text");
  const lines = titleOf(context, entry.title ?? type.title, box);
  const first = box.y + box.height / 2 - ((lines.length - 1) * LINE) / 2;
  lines.forEach((line, index) => context.fillText(line, box.x + box.width / 2, first + index * LINE));
}

const MARKS = { selected: "--primary", bad: "--bad", running: "--good" } as const;
const titles = new Map<string, string[]>();
const MOST_TITLES = 5_000;

/** A node's title in lines; measuring is dear, and most nodes share theirs with others. */
function titleOf(context: CanvasRenderingContext2D, title: string, { width, height }: Box): string[] {
  const most = Math.max(1, Math.floor((height - INSET) / LINE));
  const key = `${title}|${width}|${most}`;
  const known = titles.get(key);
  if (known !== undefined) return known;
  const lines = wrapped(title, width - 2 * INSET, most, (text) => context.measureText(text).width);
  if (titles.size > MOST_TITLES) titles.clear();
  titles.set(key, lines);
  return lines;
}

function touches(one: Box, other: Box): boolean {
  return (
    one.x <= other.x + other.width && other.x <= one.x + one.width && one.y <= other.y + other.height && other.y <= one.y + one.height
  );
}
