/** Layout of large graphs in time that grows with their size: columns by the longest way from a source. */

import type { Link, Point } from "./document";
import type { Size } from "./layout";

const COLUMN_GAP = 90;
const ROW_GAP = 36;
const SWEEPS = 4;

/** Places for nodes of one graph: links lead to the right, and nodes stand near what they are linked to. */
export function layers(sizes: ReadonlyMap<string, Size>, links: readonly Link[]): Record<string, Point> {
  const known = links.filter(({ from, to }) => sizes.has(from.node) && sizes.has(to.node) && from.node !== to.node);
  const before = neighbours(known, ({ from, to }) => [to.node, from.node]);
  const after = neighbours(known, ({ from, to }) => [from.node, to.node]);
  const columns = byColumn([...sizes.keys()], before, after);
  order(columns, before, after);
  return placed(columns, sizes);
}

function neighbours(links: readonly Link[], ends: (link: Link) => [string, string]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const link of links) {
    const [of, other] = ends(link);
    const list = found.get(of);
    if (list) list.push(other);
    else found.set(of, [other]);
  }
  return found;
}

/** Each node as far to the right as the longest way to it; nodes of a circle, which nothing leads into, at the left. */
function byColumn(ids: readonly string[], before: Map<string, string[]>, after: Map<string, string[]>): string[][] {
  const column = new Map<string, number>();
  const left = new Map(ids.map((id) => [id, before.get(id)?.length ?? 0]));
  const ready = ids.filter((id) => left.get(id) === 0);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    const own = column.get(id) ?? 0;
    column.set(id, own);
    for (const next of after.get(id) ?? []) {
      column.set(next, Math.max(column.get(next) ?? 0, own + 1));
      const rest = (left.get(next) ?? 0) - 1;
      left.set(next, rest);
      if (rest === 0) ready.push(next);
    }
  }
  const columns: string[][] = [];
  for (const id of ids) (columns[column.get(id) ?? 0] ??= []).push(id);
  return columns.map((one) => one ?? []);
}

/** Sort each column by where its nodes' neighbours stand, from the left and from the right in turn. */
function order(columns: string[][], before: Map<string, string[]>, after: Map<string, string[]>): void {
  const row = new Map<string, number>();
  const number = (column: readonly string[]) => column.forEach((id, index) => row.set(id, index / Math.max(1, column.length - 1)));
  columns.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const sides = sweep % 2 === 0 ? before : after;
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const middle = new Map(column.map((id) => [id, mean((sides.get(id) ?? []).map((one) => row.get(one) ?? 0)) ?? row.get(id) ?? 0]));
      column.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
      number(column);
    }
  }
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Columns side by side, each as high as its nodes and in the middle of the others. */
function placed(columns: readonly (readonly string[])[], sizes: ReadonlyMap<string, Size>): Record<string, Point> {
  const sizeOf = (id: string) => sizes.get(id) ?? { width: 0, height: 0 };
  const heights = columns.map((column) => column.reduce((sum, id) => sum + sizeOf(id).height + ROW_GAP, -ROW_GAP));
  const tallest = Math.max(0, ...heights);
  const places: Record<string, Point> = {};
  let x = 0;
  columns.forEach((column, index) => {
    let y = (tallest - (heights[index] ?? 0)) / 2;
    let widest = 0;
    for (const id of column) {
      places[id] = { x, y: Math.round(y) };
      y += sizeOf(id).height + ROW_GAP;
      widest = Math.max(widest, sizeOf(id).width);
    }
    x += widest + COLUMN_GAP;
  });
  return places;
}
