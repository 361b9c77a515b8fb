/** A large graph as it is drawn from afar: boxes and lines. */

import type { Point, Port } from "./document";
import type { SceneLink, SceneNode } from "./scene";

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Line {
  readonly from: Point;
  readonly to: Point;
  readonly link: SceneLink;
  /** All that it leads through, its ends included. */
  readonly points: readonly Point[];
}

/** Lines between boxes: outputs are spread over a right side, linked inputs over a left one. */
export function linesOf(
  links: readonly SceneLink[],
  nodes: ReadonlyMap<string, SceneNode>,
  boxes: ReadonlyMap<string, Box>,
): Line[] {
  return links.flatMap((link) => {
    const from = end(link.from, "right", nodes, boxes);
    const to = end(link.to, "left", nodes, boxes);
    return from && to ? [{ from, to, link, points: [from, ...link.points, to] }] : [];
  });
}

function end(
  { node, port }: Port,
  side: "left" | "right",
  nodes: ReadonlyMap<string, SceneNode>,
  boxes: ReadonlyMap<string, Box>,
): Point | null {
  const box = boxes.get(node);
  const one = nodes.get(node);
  if (box === undefined || one === undefined) return null;
  const x = side === "right" ? box.x + box.width : box.x;
  return { x, y: box.y + box.height * share(one, port, side) };
}

/** How far down a side a port lies, from 0 to 1; in the middle where the node has no such port. */
function share({ type, rows }: SceneNode, port: string, side: "left" | "right"): number {
  const ports = side === "right" ? Object.keys(type.outputs) : rows.filter(({ linked }) => linked).map((row) => row.port);
  const index = ports.indexOf(port);
  return index < 0 ? 0.5 : (index + 0.5) / ports.length;
}

/** A title in lines that are no wider than `width`; a word that is wider is cut. At most `most` lines. */
export function wrapped(title: string, width: number, most: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const word of title.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && measure(`${last} ${word}`) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else if (lines.length < most) lines.push(cut(word, width, measure));
    else {
      lines[most - 1] = cut(`${last ?? ""} ${word}`, width, measure);
      break;
    }
  }
  return lines;
}

function cut(word: string, width: number, measure: (text: string) => number): string {
  if (measure(word) <= width) return word;
  let length = word.length - 1;
  while (length > 1 && measure(`${word.slice(0, length)}…`) > width) length -= 1;
  return `${word.slice(0, length)}…`;
}
