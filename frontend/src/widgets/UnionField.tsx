/** A value of one of several types: which one, and the field of that type. */

import type { Json } from "../graph/json";
import { firstValue, optionOf, type Widget, type Written } from "../graph/widgets";
import { text } from "../text/en";
import { ValueField } from "./Field";
import { MenuField } from "./MenuField";

interface Props {
  readonly input: Written;
  readonly widget: Extract<Widget, { kind: "union" }>;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
}

export function UnionField({ input, widget: { options }, value, set }: Props) {
  const found = optionOf(value, options);
  const at = found < 0 ? 0 : found;
  const chosen = options[at];
  if (chosen === undefined) return null;
  return (
    <span className="union-field">
      {options.length > 1 && (
        <MenuField
          label={text.widget.kindOf(input.name.replaceAll("_", " "))}
          value={at}
          options={options.map(({ label }, index) => ({ value: index, label }))}
          set={(index) => {
            const next = options[Number(index)];
            if (next && next !== chosen) set(firstValue(next.widget));
          }}
        />
      )}
      <ValueField input={{ ...input, widget: chosen.widget }} value={value} set={set} />
    </span>
  );
}
