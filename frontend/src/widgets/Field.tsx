/** The widget of an input, chosen by its schema. */

import { useCallback } from "react";

import type { InputSpec } from "../graph/catalogue";
import { usableIn } from "../graph/definitions";
import type { ModelItem } from "../api/calls";
import { asLiteral, literalOf, type Port } from "../graph/document";
import { setInput } from "../graph/edits";
import type { Json } from "../graph/json";
import { seedModeOf, withSeedMode } from "../graph/seeds";
import type { Written } from "../graph/widgets";
import { IMAGES } from "../graph/pictures";
import { refreshModels, useFiles } from "../store/files";
import { useServer } from "../store/server";
import { useOpenDefinition, useShown, useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { ColourField } from "./ColourField";
import { DataField } from "./DataField";
import { ListField } from "./ListField";
import { MenuField, type Option } from "./MenuField";
import { NumberField } from "./NumberField";
import { OptionalField } from "./OptionalField";
import { PictureField } from "./PictureField";
import { RecordField } from "./RecordField";
import { SeedField, type SeedPlace } from "./SeedField";
import { TextField } from "./TextField";
import { UnionField } from "./UnionField";
import { UploadButton } from "./UploadButton";

export interface FieldProps {
  readonly node: string;
  readonly port: string;
  readonly input: InputSpec;
  readonly value: Json | undefined;
}

export function Field({ node, port, input, value }: FieldProps) {
  const shown = useShown(); // a picture is uploaded before its name is set
  const set = useCallback(
    (next: Json | undefined) => {
      useWorkspace
        .getState()
        .edit((document) => setInput(document, { node, port }, storedValue(input, next)), `${node}.${port}`, shown);
    },
    [node, port, input, shown],
  );
  const seed = useSeedPlace(input.widget.kind === "seed" ? { node, port } : null);
  return <ValueField input={input} value={literalOf(value)} set={set} seed={seed} />;
}

/** What a document holds for a value. Nothing is written down only where it is not what an input has by itself. */
export function storedValue(input: InputSpec, value: Json | undefined): Json | undefined {
  if (value === null && input.growing === null && (input.default === undefined || input.default === null)) return undefined;
  return value === undefined ? undefined : asLiteral(value);
}

interface ValueProps {
  readonly input: Written;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
  readonly seed?: SeedPlace | undefined;
}

/** What the workflow at hand keeps of a seed. */
export function useSeedPlace(port: Port | null): SeedPlace | undefined {
  const document = useShownDocument();
  if (port === null || document === undefined) return undefined;
  return {
    mode: seedModeOf(document, port),
    setMode: (mode, drawn) => useWorkspace.getState().edit((one) => withSeedMode(one, port, mode, drawn)),
  };
}

/** The widget for a value, wherever it is kept. */
export function ValueField({ input, value, set, seed }: ValueProps) {
  const { widget } = input;
  const shown = value === undefined ? input.default : value;
  const label = input.name.replaceAll("_", " ");
  switch (widget.kind) {
    case "number":
      return <NumberField label={label} widget={widget} value={shown} set={set} />;
    case "seed":
      return <SeedField label={label} value={shown} set={set} place={seed} />;
    case "text":
      return <TextField label={label} multiline={widget.multiline} value={shown} set={set} />;
    case "toggle":
      return (
        <button
          type="button"
          role="switch"
          aria-checked={shown === true}
          aria-label={label}
          className="switch nodrag"
          onClick={() => set(shown !== true)}
        >
          <span />
        </button>
      );
    case "menu":
      return (
        <MenuField
          label={label}
          value={shown}
          set={set}
          options={widget.options.map((option) => ({ value: option, label: worded(option) }))}
        />
      );
    case "colour":
      return <ColourField label={label} alpha={widget.alpha} value={shown} set={set} />;
    case "list":
      return <ListField input={input} item={widget.item} value={shown} set={set} />;
    case "record":
      return <RecordField input={input} widget={widget} value={shown} set={set} />;
    case "union":
      return <UnionField input={input} widget={widget} value={shown} set={set} />;
    case "optional":
      return <OptionalField input={input} item={widget.item} value={shown} set={set} />;
    case "choice":
      return <ChoiceField label={label} registry={widget.registry} value={shown} set={set} />;
    case "file":
      return <FileField label={label} kind={widget.files} value={shown} set={set} />;
    case "subgraph":
      return <SubgraphField label={label} value={shown} set={set} />;
    case "data":
      return <DataField label={label} value={shown} set={set} />;
    case "none":
      return null;
  }
}

interface NamedProps {
  readonly label: string;
  readonly value: Json | undefined;
  readonly set: (value: Json | undefined) => void;
}

const NONE: readonly never[] = [];

function ChoiceField({ registry, ...rest }: NamedProps & { readonly registry: string }) {
  const choices = useServer(({ vocabulary }) => vocabulary.choices[registry] ?? NONE);
  const options = choices.map(({ name, help }): Option => ({ value: name, label: name, help }));
  return <MenuField {...rest} options={options} />;
}

function FileField({ kind, ...rest }: NamedProps & { readonly kind: string }) {
  const names = useServer(({ vocabulary }) => vocabulary.files[kind] ?? NONE);
  const models = useFiles(({ models }) => models);
  if (kind === IMAGES) {
    return (
      <span className="file-field">
        <PictureField {...rest} />
        <UploadButton set={rest.set} />
      </span>
    );
  }
  const options = names.map((name): Option => ({ value: name, label: name, help: about(models.get(`${kind}/${name}`)) }));
  return <MenuField {...rest} options={options} onOpen={() => void refreshModels(kind)} />;
}

/** What is known of a model file, in few words. */
function about(model: ModelItem | undefined): string {
  return model ? [model.family, text.widget.size(model.size)].filter(Boolean).join(" · ") : "";
}

function SubgraphField(props: NamedProps) {
  const document = useShownDocument();
  const open = useOpenDefinition();
  const usable = Object.entries(document?.subgraphs ?? {}).filter(([name]) => document && usableIn(document, name, open));
  const options = usable.map(
    ([name, { title }]): Option => ({ value: `#${name}`, label: title ?? name }),
  );
  return <MenuField {...props} options={options} />;
}

function worded(option: string | number | boolean | null): string {
  if (option === null) return text.widget.nothing;
  if (typeof option === "boolean") return option ? text.widget.yes : text.widget.no;
  return String(option);
}
