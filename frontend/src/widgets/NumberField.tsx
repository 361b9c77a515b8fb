/** A number: typed, stepped with the arrow keys, or dragged sideways. A bar shows where it is in its range. */

import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import type { Json } from "../graph/json";
import { clamped, digitsOf, parseNumber, type Range } from "../graph/numbers";

interface Props {
  readonly label: string;
  readonly widget: Range;
  readonly value: Json | undefined;
  readonly set: (value: number) => void;
}

/** Pixels of a drag for one step. */
const PIXELS = 4;
/** A wider range says nothing as a bar. */
const WIDEST = 200;

export function NumberField({ label, widget, value, set }: Props) {
  const number = typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
  const [draft, setDraft] = useState<string | null>(null);
  const drag = useRef<{ x: number; from: number; moved: boolean } | null>(null);
  const { min, max, step } = widget;
  const isBounded = min !== null && max !== null && max - min <= WIDEST;
  const part = isBounded && number !== null ? (number - min) / (max - min) : null;

  const commit = () => {
    const parsed = draft === null ? null : parseNumber(draft);
    if (parsed !== null) set(clamped(parsed, widget));
    setDraft(null);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") {
      commit();
      event.currentTarget.blur();
    } else if (event.key === "Escape") {
      setDraft(null);
      event.currentTarget.blur();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      const by = (event.key === "ArrowUp" ? 1 : -1) * step * (event.shiftKey ? 10 : 1);
      const from = (draft === null ? null : parseNumber(draft)) ?? number ?? 0;
      setDraft(null);
      set(clamped(from + by, widget));
    }
  };
  const onPointerDown = (event: PointerEvent<HTMLInputElement>) => {
    if (document.activeElement === event.currentTarget || event.button !== 0) return;
    drag.current = { x: event.clientX, from: number ?? 0, moved: false };
    event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault(); // the focus is given when it turns out to be a click
  };
  const onPointerMove = (event: PointerEvent<HTMLInputElement>) => {
    if (drag.current === null) return;
    const steps = Math.trunc((event.clientX - drag.current.x) / PIXELS);
    if (steps === 0 && !drag.current.moved) return;
    drag.current.moved = true;
    set(clamped(drag.current.from + steps * step, widget));
  };
  const onPointerUp = (event: PointerEvent<HTMLInputElement>) => {
    const wasClick = drag.current !== null && !drag.current.moved;
    drag.current = null;
    if (wasClick) {
      event.currentTarget.focus();
      event.currentTarget.select();
    }
  };

  return (
    <input
      className="field number nodrag"
      type="text"
      inputMode="decimal"
      role="spinbutton"
      aria-label={label}
      aria-valuenow={number ?? undefined}
      aria-valuemin={min ?? undefined}
      aria-valuemax={max ?? undefined}
      value={draft ?? (number === null ? "" : String(Number(number.toFixed(digitsOf(step, number)))))}
      style={{ "--part": part ?? 0 }}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
    />
  );
}
