/** Beside Run: several times, a sweep, after every change. */

import { ChevronDown, Grid3x3, Repeat } from "lucide-react";
import { Popover } from "radix-ui";
import { useState } from "react";

import { runTimes, setRunOnChange, useRunning, type Seeds } from "../store/running";
import { useUi } from "../store/ui";
import { text } from "../text/en";

const t = text.runMenu;
const MOST = 100;
const SEEDS: readonly Seeds[] = ["random", "next"];

export function RunMenu() {
  const [isOpen, setOpen] = useState(false);
  const { times, seeds, onChange } = useRunning();
  const close = () => setOpen(false);
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger className={`run-more ${onChange ? "is-on" : ""}`} aria-label={t.title} title={t.title}>
        <ChevronDown size={15} aria-hidden />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="run-menu" align="end" sideOffset={8} aria-label={t.title}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              close();
              void runTimes(times, seeds);
            }}
          >
            <label className="run-row">
              {t.times}
              <input
                className="field"
                type="number"
                min={1}
                max={MOST}
                value={times}
                onChange={(event) => useRunning.setState({ times: Math.max(1, Math.min(MOST, Math.round(Number(event.target.value)) || 1)) })}
              />
            </label>
            <div className="run-row">
              {t.seeds}
              <div className="segments" role="group" aria-label={t.seeds}>
                {SEEDS.map((one) => (
                  <button key={one} type="button" aria-pressed={seeds === one} onClick={() => useRunning.setState({ seeds: one })}>
                    {t.kinds[one]}
                  </button>
                ))}
              </div>
            </div>
            <button type="submit" className="primary run-times">
              <Repeat size={14} aria-hidden /> {t.run(times)}
            </button>
          </form>
          <label className="run-row run-auto">
            <span>
              {t.onChange}
              <small>{t.onChangeHint}</small>
            </span>
            <input type="checkbox" role="switch" checked={onChange} onChange={(event) => setRunOnChange(event.target.checked)} />
          </label>
          <button
            type="button"
            className="run-row run-sweep"
            onClick={() => {
              close();
              useUi.setState({ dialog: "sweep" });
            }}
          >
            <Grid3x3 size={15} aria-hidden /> {text.sweep.command}
          </button>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
