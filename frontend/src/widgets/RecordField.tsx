/** A record: its kind, where there are several, and the fields of that kind. */

import { isObject, type Json } from "../graph/json";
import { asKind, asLabel, isWide, kindOf, type Widget, type Written } from "../graph/widgets";
import { text } from "../text/en";
import { ValueField } from "./Field";
import { MenuField } from "./MenuField";

interface Props {
  readonly input: Written;
  readonly widget: Extract<Widget, { kind: "record" }>;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
}

export function RecordField({ input, widget: { options, discriminator }, value, set }: Props) {
  const label = input.name.replaceAll("_", " ");
  const kind = kindOf(value, options, discriminator);
  const record = isObject(value) ? value : {};
  return (
    <div className="record-field nodrag" role="group" aria-label={label}>
      {discriminator !== null && options.length > 1 && (
        <MenuField
          label={text.widget.kindOf(label)}
          value={kind?.name}
          options={options.map(({ name, help }) => ({ value: name, label: asLabel(name), help }))}
          set={(name) => {
            const chosen = options.find((option) => option.name === name);
            if (chosen) set(asKind(value, chosen, discriminator));
          }}
        />
      )}
      {kind && (
        <ul>
          {kind.fields.map((field) => {
            const now = record[field.name] ?? field.default;
            return (
              <li key={field.name} className={isWide(field.widget, now) ? "is-wide" : ""} title={field.help || undefined}>
                <span className="widget-label">{asLabel(field.name)}</span>
                <ValueField
                  input={{ ...field, name: `${input.name} ${field.name}` }}
                  value={record[field.name]}
                  set={(next) => set({ ...(discriminator ? { [discriminator]: kind.name } : {}), ...withField(record, field.name, next) })}
                />
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

function withField(record: Readonly<Record<string, Json>>, name: string, value: Json | undefined): Record<string, Json> {
  if (value !== undefined) return { ...record, [name]: value };
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}
