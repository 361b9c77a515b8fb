/** The queue as a list: what runs and waits in its order, then what is over, day by day; sweeps as one. */

export interface Listed {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly group?: string | null;
  readonly started?: number | null;
  readonly finished?: number | null;
}

/** A line of the list: a job, or all jobs of a sweep. */
export interface Line<T extends Listed> {
  readonly key: string;
  readonly jobs: readonly [T, ...T[]];
  readonly group: string | null;
}

const ALIVE: ReadonlySet<string> = new Set(["queued", "held", "running"]);

export function isAlive({ state }: Pick<Listed, "state">): boolean {
  return ALIVE.has(state);
}

/** The lines of jobs that are given in order; a sweep stands where its first job does. */
export function linesOf<T extends Listed>(jobs: readonly T[]): Line<T>[] {
  const lines = new Map<string, { jobs: [T, ...T[]]; group: string | null }>();
  for (const job of jobs) {
    const key = job.group ?? job.id;
    const line = lines.get(key);
    if (line) line.jobs.push(job);
    else lines.set(key, { jobs: [job], group: job.group ?? null });
  }
  return [...lines].map(([key, line]) => ({ key, ...line }));
}

/** What runs, then what waits as the server will start it, which it tells; what it has not told yet comes last. */
export function aliveInOrder<T extends Listed>(jobs: readonly T[], waiting: readonly string[]): T[] {
  const place = (job: T) => {
    if (job.state === "running") return -1;
    const index = waiting.indexOf(job.id);
    return index < 0 ? waiting.length : index;
  };
  return jobs.filter(isAlive).sort((a, b) => place(a) - place(b) || a.number - b.number);
}

/** The median of how long the last runs of a workflow took, in seconds; null where there was none. */
export function usualSeconds(jobs: Iterable<Listed>, title: string): number | null {
  const took = [...jobs]
    .filter((job) => job.state === "done" && job.title === title)
    .sort((a, b) => b.number - a.number)
    .slice(0, 5)
    .flatMap(({ started, finished }) => (started && finished ? [finished - started] : []))
    .sort((a, b) => a - b);
  return took.length > 0 ? (took[Math.floor(took.length / 2)] ?? null) : null;
}

/** Seconds that a running job still needs: by how far it is, or by how long it usually takes. */
export function secondsLeft(job: Listed, part: number, usual: number | null, now: number): number | null {
  if (!job.started) return usual;
  const passed = Math.max(0, now - job.started);
  if (part > 0.15) return (passed / part) * (1 - part);
  return usual === null ? null : Math.max(0, usual - passed);
}

/** The days of what is over, the newest first. `dayOf` names the day of a moment. */
export function byDay<T extends { readonly finished?: number | null; readonly created: number }>(
  items: readonly T[],
  dayOf: (seconds: number) => string,
): { day: string; items: T[] }[] {
  const days: { day: string; items: T[] }[] = [];
  for (const item of items) {
    const day = dayOf(item.finished ?? item.created);
    const last = days.at(-1);
    if (last?.day === day) last.items.push(item);
    else days.push({ day, items: [item] });
  }
  return days;
}
