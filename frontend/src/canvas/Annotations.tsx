/** Groups behind the nodes, and notes among them. */

import { ViewportPortal } from "@xyflow/react";
import { BoxSelect, Palette as PaletteIcon, Trash2 } from "lucide-react";
import { useState, type KeyboardEvent } from "react";

import { annotationsOf, changeAnnotation, COLOURS, removeAnnotation, type Annotation, type AnnotationKind, type Box } from "../graph/annotations";
import { keyOf } from "../graph/frames";
import { IconButton } from "../shell/IconButton";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { moved, useDrag, useMoving } from "./useFrameDrag";

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
  const { edit, select } = useWorkspace.getState();
  const key = keyOf(kind, id);
  const isSelected = useWorkspace(({ selectedFrames }) => selectedFrames.includes(key));
  const [isWriting, setWriting] = useState(false);
  const moving = useMoving(key);
  const change = (part: Partial<Annotation>, what: string) =>
    edit((document) => changeAnnotation(document, kind, id, part), `${kind} ${id} ${what}`);
  const move = useDrag<ReturnType<typeof moving>>((start, by) => edit((document) => moved(document, start, by), `${kind} ${id} move`));
  const resize = useDrag<Box>((from, by) =>
    change({ width: Math.max(120, from.width + by.x), height: Math.max(64, from.height + by.y) }, "resize"),
  );
  const next = COLOURS[(COLOURS.indexOf(one.colour) + 1) % COLOURS.length] ?? "grey";
  const remove = () => edit((document) => removeAnnotation(document, kind, id));
  const onKeyDown = (event: KeyboardEvent) => {
    const by = ARROWS[event.key];
    if (isWriting || hasModifier(event)) return;
    if (by) edit((document) => moved(document, moving(), by), `${kind} ${id} move`);
    else if (event.key === "Enter") setWriting(true);
    else if (event.key === " ") toggle(key);
    // All that is selected goes, where this is a part of it.
    else if ((event.key === "Delete" || event.key === "Backspace") && !isSelected) remove();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const label = kind === "groups" ? text.annotation.group(one.text) : text.annotation.note;
  const drag = move(moving);
  return (
    <section
      className={`annotation is-${kind} colour-${one.colour} ${isSelected ? "is-selected" : ""}`}
      style={{ left: one.x, top: one.y, width: one.width, height: one.height }}
      aria-label={label}
      data-annotation={key}
    >
      <div
        className="annotation-head nopan"
        role="button"
        tabIndex={0}
        aria-pressed={isSelected}
        aria-label={text.annotation.handle(label)}
        onKeyDown={onKeyDown}
        onFocus={({ currentTarget }) => {
          if (currentTarget.matches(":focus-visible") && !isSelected) select([], [], [key]);
        }}
        onDoubleClick={() => setWriting(true)}
        {...drag}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          if (hasModifier(event) || event.shiftKey) toggle(key);
          else if (!isSelected) select([], [], [key]);
          drag.onPointerDown(event);
        }}
      >
        {kind === "groups" && !isWriting && <span className="annotation-title">{one.text}</span>}
      </div>
      {(kind === "notes" || isWriting) && (
        <Writing kind={kind} value={one.text} isFocused={isWriting} set={(value) => change({ text: value }, "text")} done={() => setWriting(false)} />
      )}
      <span className="annotation-tools nopan">
        {kind === "groups" && <IconButton label={text.annotation.selectWhole(label)} icon={BoxSelect} onClick={() => selectWhole(moving())} />}
        <IconButton label={text.annotation.colour} icon={PaletteIcon} onClick={() => change({ colour: next }, "colour")} />
        <IconButton label={text.annotation.remove(label)} icon={Trash2} onClick={remove} />
      </span>
      <span className="annotation-corner nopan" aria-hidden {...resize(() => one)} />
    </section>
  );
}

function hasModifier({ ctrlKey, metaKey, altKey }: { ctrlKey: boolean; metaKey: boolean; altKey: boolean }): boolean {
  return ctrlKey || metaKey || altKey;
}

/** In or out of what is selected, as Shift and a click do to a node. */
function toggle(key: string): void {
  const { selected, selectedLinks, selectedFrames, select } = useWorkspace.getState();
  const others = selectedFrames.filter((one) => one !== key);
  select(selected, selectedLinks, others.length < selectedFrames.length ? others : [...others, key]);
}

/** A group with all that lies in it. */
function selectWhole({ nodes, frames }: ReturnType<ReturnType<typeof useMoving>>): void {
  useWorkspace.getState().select(Object.keys(nodes), [], Object.keys(frames));
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
