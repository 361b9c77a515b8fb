/** Text: one line, or a prompt that grows with what is written. */

import type { Json } from "../graph/json";

interface Props {
  readonly label: string;
  readonly multiline: boolean;
  readonly value: Json | undefined;
  readonly set: (value: string) => void;
}

export function TextField({ label, multiline, value, set }: Props) {
  const shared = {
    "aria-label": label,
    value: typeof value === "string" ? value : "",
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => set(event.target.value),
  };
  return multiline ? (
    <textarea className="field prompt nodrag nowheel" rows={3} {...shared} />
  ) : (
    <input className="field nodrag" type="text" {...shared} />
  );
}
