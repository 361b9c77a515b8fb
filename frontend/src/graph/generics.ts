/** Type variables of a node, solved from what is linked to it: the engine's rules. */

import { assignable, type Classes } from "./assignable";
import { wordsOf, type SocketType } from "./sockets";

export type Solution = Record<string, SocketType>;

/** Learn type variables of a pattern from a given type. The reason in words where two types clash, else null. */
export function unify(
  pattern: SocketType,
  given: SocketType,
  solution: Solution,
  classes: Classes = {},
): string | null {
  if (pattern.kind === "generic") return learn(pattern.name, given, solution, classes);
  if (pattern.kind === "list") {
    if (given.kind === "list") return unify(pattern.item, given.item, solution, classes);
    return pattern.wraps ? unify(pattern.item, given, solution, classes) : null;
  }
  if (pattern.kind === "optional") {
    return unify(pattern.item, given.kind === "optional" ? given.item : given, solution, classes);
  }
  return null;
}

function learn(name: string, given: SocketType, solution: Solution, classes: Classes): string | null {
  const known = solution[name];
  // Where two types differ but one fits into the other, the wider one holds.
  if (known === undefined || assignable(known, given, classes).ok) {
    solution[name] = given;
    return null;
  }
  if (assignable(given, known, classes).ok) return null;
  return `its inputs do not agree: ${wordsOf(known)} and ${wordsOf(given)}`;
}

/** The pattern with every solved type variable replaced. */
export function substitute(pattern: SocketType, solution: Readonly<Solution>): SocketType {
  switch (pattern.kind) {
    case "generic":
      return solution[pattern.name] ?? pattern;
    case "list":
    case "optional":
      return { ...pattern, item: substitute(pattern.item, solution) };
    case "union":
      return { ...pattern, options: pattern.options.map((option) => substitute(option, solution)) };
    default:
      return pattern;
  }
}
