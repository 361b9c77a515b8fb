/** A list of values: one line each, added, taken out, moved, and pasted several at a time. */

import { ChevronDown, ChevronUp, Plus, X } from "lucide-react";
import type { ClipboardEvent } from "react";

import type { Json } from "../graph/json";
import { parseNumber } from "../graph/numbers";
import { firstValue, type Widget, type Written } from "../graph/widgets";
import { IconButton } from "../shell/IconButton";
import { text } from "../text/en";
import { ValueField } from "./Field";

interface Props {
  readonly input: Written;
  readonly item: Widget;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
}

const t = text.widget;

export function ListField({ input, item, value, set }: Props) {
  const label = input.name.replaceAll("_", " ");
  // One value stands for a list of one, where the input says so.
  const items = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  const put = (at: number, taken: number, ...next: readonly Json[]) => set([...items.slice(0, at), ...next, ...items.slice(at + taken)]);
  const move = (at: number, by: number) => {
    const [one] = items.slice(at, at + 1);
    const left = items.filter((_, index) => index !== at);
    if (one !== undefined) set([...left.slice(0, at + by), one, ...left.slice(at + by)]);
  };
  const paste = (at: number) => (event: ClipboardEvent) => {
    const pasted = pastedItems(item, event.clipboardData.getData("text/plain"));
    if (pasted.length < 2) return;
    event.preventDefault();
    event.stopPropagation();
    const isBlank = items[at] === "" || at >= items.length;
    put(isBlank ? at : at + 1, isBlank ? 1 : 0, ...pasted);
  };
  return (
    <div className="list-field nodrag" role="group" aria-label={label}>
      <ol>
        {items.map((one, index) => (
          <li key={index} onPaste={paste(index)}>
            <ValueField
              input={{ name: `${input.name} ${index + 1}`, help: "", widget: item, default: undefined }}
              value={one}
              set={(next) => put(index, 1, ...(next === undefined ? [] : [next]))}
            />
            <span className="list-tools">
              <IconButton className="small" label={t.up(`${label} ${index + 1}`)} icon={ChevronUp} disabled={index === 0} onClick={() => move(index, -1)} />
              <IconButton
                className="small"
                label={t.down(`${label} ${index + 1}`)}
                icon={ChevronDown}
                disabled={index === items.length - 1}
                onClick={() => move(index, 1)}
              />
              <IconButton className="small" label={t.remove(`${label} ${index + 1}`)} icon={X} onClick={() => put(index, 1)} />
            </span>
          </li>
        ))}
      </ol>
      <button
        type="button"
        className="add-line"
        aria-label={t.addTo(label)}
        title={t.pasteHint}
        onPaste={paste(items.length)}
        onClick={() => put(items.length, 0, firstValue(item) ?? null)}
      >
        <Plus size={13} aria-hidden /> {t.add}
      </button>
    </div>
  );
}

/** What a pasted text holds, one value a line; numbers also with commas or blanks between them. */
function pastedItems(item: Widget, pasted: string): Json[] {
  const lines = pasted.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (item.kind !== "number") return item.kind === "text" ? lines : [];
  const numbers = lines.flatMap((line) => line.split(/[;,\s]+/)).filter((part) => part !== "").map(parseNumber);
  return numbers.some((number) => number === null) ? [] : numbers;
}
