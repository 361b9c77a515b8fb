/** Which iteration of a loop a value is shown of. */

import { ChevronLeft, ChevronRight } from "lucide-react";

import { IconButton } from "../shell/IconButton";
import { chooseIteration } from "../store/look";
import { text } from "../text/en";

const t = text.look;

interface Props {
  readonly count: number;
  /** From 0. */
  readonly number: number;
}

export function LookIteration({ count, number }: Props) {
  if (count === 0) return <p className="look-first">{t.none}</p>;
  const choose = (wanted: number) => chooseIteration(Math.max(0, Math.min(wanted, count - 1)));
  return (
    <div className="look-iteration">
      <IconButton label={t.before} icon={ChevronLeft} disabled={number === 0} onClick={() => choose(number - 1)} />
      <label>
        {t.iteration}
        <input
          className="field"
          type="number"
          min={1}
          max={count}
          value={number + 1}
          onChange={({ target }) => {
            if (Number.isInteger(target.valueAsNumber)) choose(target.valueAsNumber - 1);
          }}
        />
        {t.of(count)}
      </label>
      <IconButton label={t.after} icon={ChevronRight} disabled={number === count - 1} onClick={() => choose(number + 1)} />
    </div>
  );
}
