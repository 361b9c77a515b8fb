/** Way points of links. They lie in `view.reroutes`, by the input where the link ends, and never change what runs.

An entry also names the output where its link begins: what was led from there leads nothing else.
*/

import { splitReference, type Document, type Link, type Point, type Port } from "./document";
import { isObject, type Json, type JsonObject } from "./json";

export interface Way {
  readonly from: string;
  readonly points: readonly Point[];
}

type View = Document["view"];
const NONE: readonly Point[] = [];
const read = new WeakMap<object, ReadonlyMap<string, Way>>();

export function nameOf({ node, port }: Port): string {
  return `${node}.${port}`;
}

/** All way points by the input of their link. What cannot be read as some is left out, and kept. */
export function waysOf(view: View): ReadonlyMap<string, Way> {
  const all = view?.reroutes;
  if (!isObject(all)) return new Map();
  const known = read.get(all);
  if (known !== undefined) return known;
  const found = new Map<string, Way>();
  for (const [name, one] of Object.entries(all)) {
    const points = isObject(one) && Array.isArray(one.points) ? one.points.flatMap(pointOf) : [];
    if (isObject(one) && typeof one.from === "string" && points.length > 0) found.set(name, { from: one.from, points });
  }
  read.set(all, found);
  return found;
}

function pointOf(data: Json): Point[] {
  if (!isObject(data)) return [];
  const { x, y } = data;
  return typeof x === "number" && typeof y === "number" && Number.isFinite(x + y) ? [{ x, y }] : [];
}

/** The way points of a link, in its direction. */
export function pointsOf(ways: ReadonlyMap<string, Way>, { from, to }: Link): readonly Point[] {
  const way = ways.get(nameOf(to));
  return way?.from === nameOf(from) ? way.points : NONE;
}

export function setPoints(document: Document, { from, to }: Link, points: readonly Point[]): Document {
  const name = nameOf(to);
  return rewritten(document, (ways) => {
    if (points.length === 0) ways.delete(name);
    else ways.set(name, { from: nameOf(from), points });
  });
}

export function movePoint(document: Document, link: Link, index: number, to: Point): Document {
  const points = pointsOf(waysOf(document.view), link);
  return setPoints(document, link, points.map((point, one) => (one === index ? to : point)));
}

export function removePoint(document: Document, link: Link, index: number): Document {
  return setPoints(document, link, pointsOf(waysOf(document.view), link).filter((_, one) => one !== index));
}

/** Another way point, on the stretch that it lies nearest to. `ends` are where the link begins and ends. */
export function insertPoint(document: Document, link: Link, at: Point, ends: readonly [Point, Point]): Document {
  const points = pointsOf(waysOf(document.view), link);
  const line = [ends[0], ...points, ends[1]];
  const distances = line.slice(1).map((end, index) => distance(at, line[index] ?? end, end));
  const stretch = distances.indexOf(Math.min(...distances));
  return setPoints(document, link, points.toSpliced(stretch, 0, at));
}

/** From a point to a stretch of a straight line. */
function distance(point: Point, start: Point, end: Point): number {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - start.x) * dx + (point.y - start.y) * dy) / length;
  const at = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - start.x - at * dx, point.y - start.y - at * dy);
}

/** The links whose ends both move, and by the same, take their way points along. Moves are by node. */
export function movedAlong(document: Document, moves: ReadonlyMap<string, Point>): Document {
  if (waysOf(document.view).size === 0) return document;
  return rewritten(document, (ways) => {
    for (const [name, way] of ways) {
      const one = moves.get(splitReference(name).node);
      const other = moves.get(splitReference(way.from).node);
      if (one && other && one.x === other.x && one.y === other.y) ways.set(name, shifted(way, one));
    }
  });
}

/** Without the way points of links that begin or end at some nodes. */
export function straightened(document: Document, nodes: ReadonlySet<string>): Document {
  const touches = (reference: string) => nodes.has(splitReference(reference).node);
  if (![...waysOf(document.view)].some(([name, { from }]) => touches(name) || touches(from))) return document;
  return rewritten(document, (ways) => {
    for (const [name, { from }] of ways) if (touches(name) || touches(from)) ways.delete(name);
  });
}

/** The way points of a document whose links end and begin elsewhere in another; null where there is none. */
export function ledOver(from: View, follow: (reference: string) => string | null, by: Point = { x: 0, y: 0 }): Map<string, Way> {
  return new Map(
    [...waysOf(from)].flatMap(([name, way]) => {
      const [to, source] = [follow(name), follow(way.from)];
      return to === null || source === null ? [] : [[to, { ...shifted(way, by), from: source }] as const];
    }),
  );
}

interface Viewed {
  readonly view?: View;
}

/** The same way points where inputs and outputs are called otherwise; null takes those of a link away. */
export function waysFollow<T extends Viewed>(document: T, follow: (reference: string) => string | null): T {
  const ways = waysOf(document.view);
  if (ways.size === 0) return document;
  const isSame = [...ways].every(([name, { from }]) => follow(name) === name && follow(from) === from);
  return isSame ? document : withAll(document, ledOver(document.view, follow));
}

/** Without the way points of the link into an input. */
export function withoutWay(document: Document, to: Port): Document {
  return waysFollow(document, (reference) => (reference === nameOf(to) && waysOf(document.view).has(reference) ? null : reference));
}

export function withWays<T extends Viewed>(document: T, more: ReadonlyMap<string, Way>): T {
  if (more.size === 0) return document;
  return rewritten(document, (ways) => {
    for (const [name, way] of more) ways.set(name, way);
  });
}

function shifted({ from, points }: Way, { x, y }: Point): Way {
  return { from, points: points.map((point) => ({ x: point.x + x, y: point.y + y })) };
}

function rewritten<T extends Viewed>(document: T, change: (ways: Map<string, Way>) => void): T {
  const ways = new Map(waysOf(document.view));
  change(ways);
  return withAll(document, ways);
}

function withAll<T extends Viewed>(document: T, ways: ReadonlyMap<string, Way>): T {
  const { reroutes: _, ...view } = document.view ?? {};
  if (ways.size === 0) return { ...document, view };
  return { ...document, view: { ...view, reroutes: Object.fromEntries([...ways].map(([name, way]) => [name, written(way)])) } };
}

function written({ from, points }: Way): JsonObject {
  return { from, points: points.map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) })) };
}
