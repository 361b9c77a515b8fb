/** A seed: one that is kept, a new one for every run, or the next one after every run. */

import { Dices, Lock, RefreshCw, StepForward } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";

import type { Json } from "../graph/json";
import { parseSeed, randomSeed } from "../graph/numbers";
import type { SeedMode } from "../graph/seeds";
import { RANDOM } from "../graph/widgets";
import { IconButton } from "../shell/IconButton";
import { text } from "../text/en";

/** What a seed does after a run, where the workflow keeps that of it. */
export interface SeedPlace {
  readonly mode: SeedMode;
  readonly setMode: (mode: SeedMode, drawn: Json) => void;
}

interface Props {
  readonly label: string;
  readonly value: Json | undefined;
  readonly set: (value: Json) => void;
  readonly place?: SeedPlace | undefined;
}

const ICONS = { fixed: Lock, random: Dices, next: StepForward } as const;
const t = text.widget;

export function SeedField({ label, value, set, place }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const isRandom = value === RANDOM;
  const mode = isRandom ? "random" : (place?.mode ?? "fixed");
  const drawn = () => randomSeed(crypto.getRandomValues(new BigUint64Array(1)));
  const commit = () => {
    const seed = draft === null ? null : parseSeed(draft);
    if (seed !== null) set(seed);
    setDraft(null);
  };
  const choose = (next: SeedMode) => {
    if (place) place.setMode(next, drawn());
    else if (next !== mode) set(next === "random" ? RANDOM : drawn());
  };
  const Icon = ICONS[mode];
  const modes: readonly SeedMode[] = place ? ["fixed", "random", "next"] : ["fixed", "random"];
  return (
    <span className="seed nodrag">
      <input
        className="field"
        type="text"
        inputMode="numeric"
        aria-label={label}
        value={isRandom ? t.random : (draft ?? String(value ?? 0))}
        readOnly={isRandom}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      <IconButton label={t.newSeed} icon={RefreshCw} onClick={() => set(drawn())} disabled={isRandom} />
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger
          className={`icon-button seed-mode ${mode === "fixed" ? "" : "is-on"}`}
          aria-label={t.seedMode(label, t.seedModes[mode])}
          title={t.seedHints[mode]}
        >
          <Icon size={14} aria-hidden />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="menu" align="end">
            <DropdownMenu.RadioGroup value={mode} onValueChange={(next) => choose(next as SeedMode)}>
              {modes.map((one) => (
                <DropdownMenu.RadioItem key={one} className="menu-item is-choice" value={one}>
                  {t.seedHints[one]}
                </DropdownMenu.RadioItem>
              ))}
            </DropdownMenu.RadioGroup>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </span>
  );
}
