/** Groups behind the nodes, and notes among them. */

import { useReactFlow, useStore, ViewportPortal } from "@xyflow/react";
import { Palette as PaletteIcon, Trash2 } from "lucide-react";
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import {
  annotationsOf,
  changeAnnotation,
  COLOURS,
  inside,
  removeAnnotation,
  type Annotation,
  type AnnotationKind,
  type Box,
} from "../graph/annotations";
import { positionOf, type Document } from "../graph/document";
import { moveNodes } from "../graph/edits";
import { IconButton } from "../shell/IconButton";
import { activeDocument, useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import type { FlowNode } from "./useScene";

const STEP = 12;

export function Annotations() {
  const document = useShownDocument();
  if (document === undefined) return null;
  const draw = (kind: AnnotationKind) =>
    [...annotationsOf(document, kind)].map(([id, one]) => <Frame key={`${kind} ${id}`} kind={kind} id={id} one={one} />);
  return (
    <ViewportPortal>
      {draw("groups")}
      {draw("notes")}
    </ViewportPortal>
  );
}

interface FrameProps {
  readonly kind: AnnotationKind;
  readonly id: string;
  readonly one: Annotation;
}

function Frame({ kind, id, one }: FrameProps) {
  const { edit } = useWorkspace.getState();
  const [isWriting, setWriting] = useState(false);
  const zoom = useStore(({ transform }) => transform[2]);
  const boxes = useBoxes();
  const change = (part: Partial<Annotation>, key: string) =>
    edit((document) => changeAnnotation(document, kind, id, part), `${kind} ${id} ${key}`);
  const move = useDrag(zoom, (from, by, members) => {
    edit((document) => moved(document, kind, id, from, by, members), `${kind} ${id} move`);
  });
  const resize = useDrag(zoom, (from, by) =>
    change({ width: Math.max(120, from.width + by.x), height: Math.max(64, from.height + by.y) }, "resize"),
  );
  const members = () => (kind === "groups" ? inside(one, boxes()) : []);
  const next = COLOURS[(COLOURS.indexOf(one.colour) + 1) % COLOURS.length] ?? "grey";
  const onKeyDown = (event: KeyboardEvent) => {
    if (isWriting) return;
    const by = ARROWS[event.key];
    if (by) edit((document) => moved(document, kind, id, one, by, placesOf(document, members())), `${kind} ${id} move`);
    else if (event.key === "Enter") setWriting(true);
    else if (event.key === "Delete") edit((document) => removeAnnotation(document, kind, id));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const label = kind === "groups" ? text.annotation.group(one.text) : text.annotation.note;
  return (
    <section
      className={`annotation is-${kind} colour-${one.colour}`}
      style={{ left: one.x, top: one.y, width: one.width, height: one.height }}
      aria-label={label}
      data-annotation={`${kind}.${id}`}
    >
      <div
        className="annotation-head nopan"
        role="button"
        tabIndex={0}
        aria-label={text.annotation.handle(label)}
        onKeyDown={onKeyDown}
        onDoubleClick={() => setWriting(true)}
        {...move(one, members)}
      >
        {kind === "groups" && !isWriting && <span className="annotation-title">{one.text}</span>}
      </div>
      {(kind === "notes" || isWriting) && (
        <Writing kind={kind} value={one.text} isFocused={isWriting} set={(value) => change({ text: value }, "text")} done={() => setWriting(false)} />
      )}
      <span className="annotation-tools nopan">
        <IconButton label={text.annotation.colour} icon={PaletteIcon} onClick={() => change({ colour: next }, "colour")} />
        <IconButton label={text.annotation.remove(label)} icon={Trash2} onClick={() => edit((document) => removeAnnotation(document, kind, id))} />
      </span>
      <span className="annotation-corner nopan" aria-hidden {...resize(one)} />
    </section>
  );
}

interface WritingProps {
  readonly kind: AnnotationKind;
  readonly value: string;
  readonly isFocused: boolean;
  readonly set: (value: string) => void;
  readonly done: () => void;
}

function Writing({ kind, value, isFocused, set, done }: WritingProps) {
  const shared = {
    className: "annotation-text nopan nowheel",
    "aria-label": text.annotation.text,
    value,
    autoFocus: isFocused,
    spellCheck: false,
    onBlur: done,
    onChange: (event: { target: { value: string } }) => set(event.target.value),
  };
  if (kind === "notes") return <textarea {...shared} placeholder={text.annotation.empty} />;
  return (
    <input
      {...shared}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === "Escape") done();
      }}
    />
  );
}

const ARROWS: Readonly<Record<string, { x: number; y: number }>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

type Places = Readonly<Record<string, { x: number; y: number }>>;

/** A frame elsewhere, with the nodes that lay in it when it was taken. */
function moved(document: Document, kind: AnnotationKind, id: string, from: Box, by: { x: number; y: number }, members: Places): Document {
  const placed = changeAnnotation(document, kind, id, { x: from.x + by.x, y: from.y + by.y });
  const nodes = Object.entries(members).map(([node, { x, y }]) => [node, { x: x + by.x, y: y + by.y }] as const);
  return nodes.length > 0 ? moveNodes(placed, Object.fromEntries(nodes)) : placed;
}

function placesOf(document: Document | undefined, ids: readonly string[]): Places {
  if (document === undefined) return {};
  return Object.fromEntries(ids.flatMap((id) => [[id, positionOf(document, id) ?? { x: 0, y: 0 }]]));
}

/** The boxes of all nodes as they are drawn. */
function useBoxes(): () => Map<string, Box> {
  const { getNodes } = useReactFlow<FlowNode>();
  return () =>
    new Map(getNodes().map(({ id, position, measured }) => [id, { ...position, width: measured?.width ?? 272, height: measured?.height ?? 160 }]));
}

/** Drags in the canvas' own measure: where it began, how far it is, and which nodes come along. */
function useDrag(zoom: number, drag: (from: Box, by: { x: number; y: number }, members: Places) => void) {
  const begun = useRef<{ x: number; y: number; from: Box; members: Places } | null>(null);
  return (from: Box, members: () => readonly string[] = () => []) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      begun.current = { x: event.clientX, y: event.clientY, from, members: placesOf(activeDocument(), members()) };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const start = begun.current;
      if (start === null) return;
      const by = { x: (event.clientX - start.x) / zoom, y: (event.clientY - start.y) / zoom };
      if (by.x !== 0 || by.y !== 0) drag(start.from, by, start.members);
    },
    onPointerUp: () => {
      begun.current = null;
    },
  });
}
