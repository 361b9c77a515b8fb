/** What to vary: axes over named inputs or any other, each with its values. */

import { Plus, Trash2 } from "lucide-react";
import { Dialog } from "radix-ui";
import { useMemo, useState } from "react";

import { choicesOf, valuesOf, type Choice } from "../graph/axes";
import { runsOf, type Mode } from "../graph/sweep";
import { IconButton } from "../shell/IconButton";
import { useServer } from "../store/server";
import { sweep, type Axis } from "../store/sweeps";
import { useUi } from "../store/ui";
import { useActiveTab } from "../store/workspace";
import { CloseButton } from "../shell/CloseButton";
import { text } from "../text/en";

const t = text.sweep;
const MOST = 1_000;

interface Written {
  readonly choice: string;
  readonly values: string;
}

export function SweepDialog() {
  const isOpen = useUi((ui) => ui.dialog === "sweep");
  return (
    <Dialog.Root open={isOpen} onOpenChange={() => useUi.setState({ dialog: null })}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog sweep-dialog">
          <Dialog.Title>{t.title}</Dialog.Title>
          <Dialog.Description>{t.lead}</Dialog.Description>
          <SweepForm />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function SweepForm() {
  const tab = useActiveTab();
  const catalogue = useServer((server) => server.catalogue);
  const document = tab?.history.present;
  const choices = useMemo(() => (document ? choicesOf(document, catalogue) : []), [document, catalogue]);
  const [axes, setAxes] = useState<readonly Written[]>(() => [firstAxis(choices, [])]);
  const [mode, setMode] = useState<Mode>("grid");
  const [isSending, setSending] = useState(false);

  const read = axes.map(({ choice, values }) => {
    const found = choices.find(({ id }) => id === choice);
    return { choice: found, values: found ? valuesOf(found.widget, values) : t.nothing };
  });
  const ready = read.flatMap(({ choice, values }): Axis[] => (choice && typeof values !== "string" ? [{ choice, values }] : []));
  const isReady = ready.length === axes.length && ready.length > 0;
  const runs = isReady ? runsOf(ready.map(({ values }) => values.length), mode) : null;
  const told = !isReady ? t.unready : runs === null ? t.uneven : runs > MOST ? t.tooMany(runs, MOST) : t.runs(runs);
  const set = (index: number, part: Partial<Written>) =>
    setAxes(axes.map((axis, at) => (at === index ? { ...axis, ...part } : axis)));
  const submit = async () => {
    setSending(true);
    await sweep(ready, mode);
    setSending(false);
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <ul className="axes">
        {axes.map((axis, index) => {
          const problem = read[index]?.values;
          const remove = () => setAxes(axes.filter((_, at) => at !== index));
          return (
            <AxisRow key={index} number={index + 1} axis={axis} choices={choices} problem={typeof problem === "string" ? problem : null} set={(part) => set(index, part)}>
              <IconButton label={t.remove} icon={Trash2} disabled={axes.length === 1} onClick={remove} />
            </AxisRow>
          );
        })}
      </ul>
      <button type="button" className="quiet-button" disabled={axes.length >= Math.min(8, choices.length)} onClick={() => setAxes([...axes, firstAxis(choices, axes)])}>
        <Plus size={14} aria-hidden /> {t.add}
      </button>
      <div className="sweep-foot">
        <div className="segments" role="group" aria-label={t.mode}>
          {(["grid", "zip"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={mode === one} title={t.modeHints[one]} onClick={() => setMode(one)}>
              {t.modes[one]}
            </button>
          ))}
        </div>
        <span className="sweep-count" role="status">
          {told}
        </span>
        <button type="submit" className="primary" disabled={runs === null || runs > MOST || isSending}>
          {t.run}
        </button>
      </div>
    </form>
  );
}

interface RowProps {
  readonly number: number;
  readonly axis: Written;
  readonly choices: readonly Choice[];
  readonly problem: string | null;
  readonly set: (part: Partial<Written>) => void;
  readonly children: React.ReactNode;
}

function AxisRow({ number, axis, choices, problem, set, children }: RowProps) {
  const widget = choices.find(({ id }) => id === axis.choice)?.widget;
  const isText = widget?.kind === "text";
  const groups = (["named", "node"] as const).map((group) => ({ group, of: choices.filter((choice) => choice.group === group) }));
  const field = {
    className: "field",
    "aria-label": t.values(number),
    "aria-invalid": problem !== null,
    value: axis.values,
    placeholder: isText ? t.textHint : t.numberHint,
  };
  return (
    <li className="axis">
      <select
        className="field"
        aria-label={t.input(number)}
        value={axis.choice}
        onChange={(event) => set({ choice: event.target.value, values: choices.find(({ id }) => id === event.target.value)?.now ?? "" })}
      >
        {groups.map(({ group, of }) => (
          <optgroup key={group} label={t.groups[group]}>
            {of.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      {children}
      {isText ? (
        <textarea {...field} rows={3} onChange={(event) => set({ values: event.target.value })} />
      ) : (
        <input {...field} onChange={(event) => set({ values: event.target.value })} />
      )}
      {problem !== null && axis.values !== "" && <p className="axis-problem">{problem}</p>}
    </li>
  );
}

/** The next axis: an input that no other varies yet. Seeds and numbers come first, for they are varied most. */
function firstAxis(choices: readonly Choice[], taken: readonly Written[]): Written {
  const free = choices.filter(({ id }) => !taken.some(({ choice }) => choice === id));
  const next = free.find(({ widget }) => widget.kind === "seed" || widget.kind === "number") ?? free[0];
  return { choice: next?.id ?? "", values: next?.now ?? "" };
}
