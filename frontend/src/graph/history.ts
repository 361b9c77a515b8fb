/** Undo and redo: documents share what did not change, so a step costs little. */

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What the last step changed and when: steps of the same thing within a moment are one. */
  readonly last: { readonly key: string; readonly at: number } | null;
}

const LONGEST = 1_000;
const MOMENT = 1_200;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], last: null };
}

/**
 * A step to another state. `key` joins steps such as the letters typed into one field: those within a moment, and
 * those of one drag, which began at `held`, however long it rests between them.
 */
export function step<T>(history: History<T>, next: T, key: string | null = null, now = 0, held: number | null = null): History<T> {
  if (next === history.present) return history;
  const { last } = history;
  const isNear = last !== null && (now - last.at < MOMENT || (held !== null && held <= last.at));
  const joined = key !== null && last?.key === key && isNear;
  const past = joined ? history.past : [...history.past, history.present].slice(-LONGEST);
  return { past, present: next, future: [], last: key === null ? null : { key, at: now } };
}

export function undo<T>(history: History<T>): History<T> {
  const previous = history.past.at(-1);
  if (previous === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: previous,
    future: [history.present, ...history.future],
    last: null,
  };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future, last: null };
}
