/** A seed: one that is kept, or a new one for every run. */

import { Dices, RefreshCw } from "lucide-react";
import { useState } from "react";

import type { Json } from "../graph/json";
import { parseSeed, randomSeed } from "../graph/numbers";
import { RANDOM } from "../graph/widgets";
import { IconButton } from "../shell/IconButton";
import { text } from "../text/en";

interface Props {
  readonly label: string;
  readonly value: Json | undefined;
  readonly set: (value: Json) => void;
}

export function SeedField({ label, value, set }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const isRandom = value === RANDOM;
  const another = () => set(randomSeed(crypto.getRandomValues(new BigUint64Array(1))));
  const commit = () => {
    const seed = draft === null ? null : parseSeed(draft);
    if (seed !== null) set(seed);
    setDraft(null);
  };
  return (
    <span className="seed nodrag">
      <input
        className="field"
        type="text"
        inputMode="numeric"
        aria-label={label}
        value={isRandom ? text.widget.random : (draft ?? String(value ?? 0))}
        readOnly={isRandom}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      <IconButton label={text.widget.newSeed} icon={RefreshCw} onClick={another} disabled={isRandom} />
      <IconButton
        label={isRandom ? text.widget.fixedHint : text.widget.randomHint}
        icon={Dices}
        pressed={isRandom}
        onClick={() => (isRandom ? another() : set(RANDOM))}
      />
    </span>
  );
}
