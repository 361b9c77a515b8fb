/** A value that may be left out: what is not set says so, and is set and cleared by a button. */

import { Plus, X } from "lucide-react";

import type { Json } from "../graph/json";
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

export function OptionalField({ input, item, value, set }: Props) {
  const label = input.name.replaceAll("_", " ");
  const first = firstValue(item);
  if (value !== undefined && value !== null) {
    return (
      <span className="optional-field is-set">
        <ValueField input={{ ...input, widget: item }} value={value} set={set} />
        <IconButton className="nodrag small" label={text.widget.clear(label)} icon={X} onClick={() => set(null)} />
      </span>
    );
  }
  // A name has no first value that would make sense: its menu offers them, and an empty field takes the rest.
  if (first === undefined) return <ValueField input={{ ...input, widget: item, default: undefined }} value={null} set={set} />;
  return (
    <button type="button" className="field unset nodrag" aria-label={text.widget.setOne(label)} onClick={() => set(first)}>
      <span>{text.widget.nothing}</span>
      <Plus size={13} aria-hidden />
    </button>
  );
}
