/** A sweep: how many runs it is, and its contact sheet as told by the inputs of its jobs. */

import { sameJson, type Json } from "./json";

export type Mode = "grid" | "zip";

/** How many runs axes with so many values make. Null where lists that go side by side differ in length. */
export function runsOf(counts: readonly number[], mode: Mode): number | null {
  if (counts.length === 0) return 0;
  if (mode === "grid") return counts.reduce((product, count) => product * count, 1);
  const [first = 0] = counts;
  return counts.every((count) => count === first) ? first : null;
}

/** What is needed of a job: which inputs it was given. */
export interface Cell {
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Sheet<T extends Cell> {
  /** The labels above; empty where every cell has a label of its own. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly label: string; readonly cells: readonly { readonly job: T; readonly label: string }[] }[];
  /** The names of the inputs that vary. */
  readonly names: readonly string[];
}

interface Varied {
  readonly name: string;
  readonly values: readonly Json[];
}

/** Lay out jobs in the order of their cells: a table where they are a grid, else one after the other. */
export function sheetOf<T extends Cell>(jobs: readonly T[], width = 4): Sheet<T> {
  const varied = variedIn(jobs);
  const names = varied.map(({ name }) => name);
  const labelOf = (job: T, of: readonly string[]) => of.map((name) => `${name} ${shown(job.inputs[name] as Json)}`).join(", ");
  const last = varied.at(-1);
  const isTable = varied.length > 1 && last !== undefined && isGrid(jobs, varied);
  const columns = isTable ? last.values.length : Math.min(width, Math.max(1, jobs.length));
  const rows = Array.from({ length: Math.ceil(jobs.length / columns) }, (_, row) => {
    const cells = jobs.slice(row * columns, (row + 1) * columns);
    const [first] = cells;
    return {
      label: isTable && first ? labelOf(first, names.slice(0, -1)) : "",
      cells: cells.map((job) => ({ job, label: isTable ? "" : labelOf(job, names) })),
    };
  });
  return { columns: isTable ? last.values.map((value) => `${last.name} ${shown(value)}`) : [], rows, names };
}

/** The inputs that differ between jobs, each with its values in order. */
function variedIn(jobs: readonly Cell[]): Varied[] {
  const [first, ...others] = jobs;
  if (first === undefined) return [];
  return Object.keys(first.inputs)
    .filter((name) => others.every(({ inputs }) => Object.hasOwn(inputs, name)))
    .map((name): Varied => {
      const values: Json[] = [];
      for (const { inputs } of jobs) {
        const value = inputs[name] as Json;
        if (!values.some((known) => sameJson(known, value))) values.push(value);
      }
      return { name, values };
    })
    .filter(({ values }) => values.length > 1)
    .sort((a, b) => changesAt(jobs, b.name) - changesAt(jobs, a.name));
}

/** The first job in which an input differs: in a grid the slowest axis, which stands first, changes last. */
function changesAt(jobs: readonly Cell[], name: string): number {
  return jobs.findIndex(({ inputs }) => !sameJson(inputs[name] as Json, jobs[0]?.inputs[name] as Json));
}

/** Whether the jobs are all combinations, in the order in which a server spans them: the last axis the fastest. */
function isGrid(jobs: readonly Cell[], varied: readonly Varied[]): boolean {
  if (varied.reduce((product, { values }) => product * values.length, 1) !== jobs.length) return false;
  return jobs.every(({ inputs }, index) => {
    let left = index;
    return varied.toReversed().every(({ name, values }) => {
      const expected = values[left % values.length];
      left = Math.floor(left / values.length);
      return sameJson(expected, inputs[name]);
    });
  });
}

const LONG = 48;

function shown(value: Json): string {
  const text = typeof value === "string" ? value : typeof value === "number" ? String(Number(value.toPrecision(8))) : String(value);
  return text.length > LONG ? `${text.slice(0, LONG)}…` : text;
}
