/** Any other value, as JSON: lists, records, and inputs of types that are not known. */

import { useState } from "react";

import { parseJson, printJson, type Json } from "../graph/json";
import { text } from "../text/en";

interface Props {
  readonly label: string;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
}

export function DataField({ label, value, set }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const shown = draft ?? (value === undefined || value === null ? "" : printJson(value));
  const parsed = draft === null ? null : read(draft);
  return (
    <textarea
      className={`field data nodrag nowheel ${parsed === "bad" ? "is-bad" : ""}`}
      rows={1}
      aria-label={label}
      aria-invalid={parsed === "bad"}
      title={parsed === "bad" ? text.widget.badJson : undefined}
      value={shown}
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => {
        if (parsed !== null && parsed !== "bad") {
          set(parsed.value);
          setDraft(null);
        }
      }}
    />
  );
}

/** Bare words are text, so that nobody has to type quotes. */
function read(draft: string): { value: Json | undefined } | "bad" {
  if (draft.trim() === "") return { value: undefined };
  try {
    return { value: parseJson(draft) };
  } catch {
    return /^[A-Za-z][\w .-]*$/.test(draft.trim()) ? { value: draft.trim() } : "bad";
  }
}
