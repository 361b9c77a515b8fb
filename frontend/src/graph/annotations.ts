/** Groups and notes: frames and texts on the canvas. They lie in `view`, and never change what runs. */

import type { Document, Point } from "./document";
import { isObject, type Json, type JsonObject } from "./json";

export type AnnotationKind = "groups" | "notes";

export interface Annotation {
  /** The title of a group, the text of a note. */
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour: Colour;
}

export const COLOURS = ["grey", "blue", "green", "yellow", "red"] as const;
export type Colour = (typeof COLOURS)[number];

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

const HEAD = 44;
const PADDING = 24;

/** The groups or notes of a document by id. What cannot be read as one is left out, and kept. */
export function annotationsOf(document: Document, kind: AnnotationKind): Map<string, Annotation> {
  const found = new Map<string, Annotation>();
  const all = document.view?.[kind];
  for (const [id, one] of Object.entries(isObject(all) ? all : {})) {
    if (!isObject(one)) continue;
    const { text, x, y, width, height, colour } = one;
    if ([x, y, width, height].some((value) => typeof value !== "number" || !Number.isFinite(value))) continue;
    found.set(id, {
      text: typeof text === "string" ? text : "",
      x: Number(x),
      y: Number(y),
      width: Math.max(80, Number(width)),
      height: Math.max(48, Number(height)),
      colour: COLOURS.find((name) => name === colour) ?? "grey",
    });
  }
  return found;
}

export function addAnnotation(document: Document, kind: AnnotationKind, one: Annotation): { document: Document; id: string } {
  const all = recordOf(document, kind);
  let number = 1;
  while (Object.hasOwn(all, String(number))) number += 1;
  const id = String(number);
  return { document: withAll(document, kind, { ...all, [id]: { ...one } }), id };
}

export function changeAnnotation(document: Document, kind: AnnotationKind, id: string, change: Partial<Annotation>): Document {
  const all = recordOf(document, kind);
  const before = all[id];
  return isObject(before) ? withAll(document, kind, { ...all, [id]: { ...before, ...rounded(change) } }) : document;
}

export function removeAnnotation(document: Document, kind: AnnotationKind, id: string): Document {
  const left = Object.entries(recordOf(document, kind)).filter(([one]) => one !== id);
  return withAll(document, kind, Object.fromEntries(left));
}

/** A group around boxes, with room for its title. */
export function around(boxes: readonly Box[], text: string): Annotation {
  const left = Math.min(...boxes.map(({ x }) => x));
  const top = Math.min(...boxes.map(({ y }) => y));
  const right = Math.max(...boxes.map(({ x, width }) => x + width));
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height));
  return {
    text,
    x: left - PADDING,
    y: top - PADDING - HEAD,
    width: right - left + 2 * PADDING,
    height: bottom - top + 2 * PADDING + HEAD,
    colour: "grey",
  };
}

/** Which of some boxes lie in a group: those whose middle does. */
export function inside(group: Box, boxes: ReadonlyMap<string, Box>): string[] {
  return [...boxes]
    .filter(([, { x, y, width, height }]) => {
      const [middle, centre] = [x + width / 2, y + height / 2];
      return middle > group.x && middle < group.x + group.width && centre > group.y && centre < group.y + group.height;
    })
    .map(([id]) => id);
}

function rounded(change: Partial<Annotation>): JsonObject {
  const pairs = Object.entries(change).map(([key, value]) => [key, typeof value === "number" ? Math.round(value) : value] as const);
  return Object.fromEntries(pairs) as JsonObject;
}

function recordOf(document: Document, kind: AnnotationKind): JsonObject {
  const all = document.view?.[kind];
  return isObject(all) ? all : {};
}

function withAll(document: Document, kind: AnnotationKind, all: Json): Document {
  return { ...document, view: { ...document.view, [kind]: all } };
}
