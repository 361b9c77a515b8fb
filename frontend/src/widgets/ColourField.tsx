/** A colour: the browser's picker beside its text, and how opaque it is where the input says that it may be. */

import { useState } from "react";

import { colourText, parseColour } from "../graph/colours";
import type { Json } from "../graph/json";
import { text } from "../text/en";

interface Props {
  readonly label: string;
  readonly alpha: boolean;
  readonly value: Json | undefined;
  readonly set: (value: string) => void;
}

export function ColourField({ label, alpha, value, set }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const written = typeof value === "string" ? value : "";
  const colour = parseColour(written);
  const rgb = colour?.rgb ?? "#000000";
  const opacity = colour?.alpha ?? 255;
  const parsed = draft === null ? colour : parseColour(draft);
  const isBad = (draft ?? written) !== "" && parsed === null;
  const commit = () => {
    if (draft !== null && parsed !== null) set(colourText(parsed, alpha));
    setDraft(null);
  };
  return (
    <span className="colour-field nodrag">
      <span className="colour-swatch" style={{ "--colour": colourText({ rgb, alpha: opacity }, true) }}>
        <input
          type="color"
          aria-label={text.widget.pick(label)}
          value={rgb}
          onChange={(event) => set(colourText({ rgb: event.target.value, alpha: opacity }, alpha))}
        />
      </span>
      <input
        className={`field ${isBad ? "is-bad" : ""}`}
        type="text"
        aria-label={label}
        aria-invalid={isBad}
        title={isBad ? text.widget.badColour : undefined}
        spellCheck={false}
        value={draft ?? written}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      {alpha && (
        <input
          type="range"
          min={0}
          max={255}
          aria-label={text.widget.opacity(label)}
          title={text.widget.opacity(label)}
          value={opacity}
          onChange={(event) => set(colourText({ rgb, alpha: Number(event.target.value) }, true))}
        />
      )}
    </span>
  );
}
