/** Whether a link fits, and why: the engine's rules. Both run the same table of cases. */

import { sameJson } from "./json";
import { wordsOf, type SocketType } from "./sockets";

export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
}

/** The classes that a value class derives from, by name. */
export type Classes = Readonly<Record<string, readonly string[]>>;

type Of<K extends SocketType["kind"]> = Extract<SocketType, { kind: K }>;

const yes = (reason: string): Verdict => ({ ok: true, reason });
const no = (reason: string): Verdict => ({ ok: false, reason });

/** Judge a link from an output of type `source` to an input of type `target`. */
export function assignable(source: SocketType, target: SocketType, classes: Classes = {}): Verdict {
  if (source === target || sameJson(source, target)) return yes("same type");
  if (source.kind === "generic" || target.kind === "generic") return yes("anything fits");
  if (source.kind === "union") return everyOption(source, target, classes);
  if (target.kind === "optional") {
    return assignable(source.kind === "optional" ? source.item : source, target.item, classes);
  }
  if (source.kind === "optional") return no(`the value may be missing, and ${wordsOf(target)} is required`);
  if (target.kind === "union") return someOption(source, target, classes);
  if (source.kind === "list" && target.kind === "list") return assignable(source.item, target.item, classes);
  if (target.kind === "list" && target.wraps) {
    const verdict = assignable(source, target.item, classes);
    return verdict.ok ? yes("taken as a list of one") : verdict;
  }
  return plain(source, target, classes);
}

function everyOption(source: Of<"union">, target: SocketType, classes: Classes): Verdict {
  for (const option of source.options) {
    const verdict = assignable(option, target, classes);
    if (!verdict.ok) return no(`the value may be ${wordsOf(option)}: ${verdict.reason}`);
  }
  return yes("every kind of value fits");
}

function someOption(source: SocketType, target: Of<"union">, classes: Classes): Verdict {
  const fitting = target.options.find((option) => assignable(source, option, classes).ok);
  if (fitting) return yes(`fits as ${wordsOf(fitting)}`);
  return no(`${wordsOf(source)} is none of: ${wordsOf(target)}`);
}

function plain(source: SocketType, target: SocketType, classes: Classes): Verdict {
  if (source.kind === "scalar" && target.kind === "scalar") {
    if (source.name === "int" && target.name === "float") return yes("every whole number is a number");
    if (source.name === "float" && target.name === "int") {
      return no("a number may have a fraction, which a whole number would lose");
    }
  }
  if (target.kind === "scalar" && target.name === "text" && (source.kind === "choice" || source.kind === "file")) {
    return yes("a name is text");
  }
  if (source.kind === "menu" && target.kind === "scalar") return menuIntoScalar(source, target);
  if (source.kind === "scalar" && source.name === "text" && isNarrowText(target)) {
    return no(`not every text is ${wordsOf(target)}`);
  }
  if (source.kind === "menu" && target.kind === "menu") return within(source.options, target.options, "option");
  if (source.kind === "record" && target.kind === "record") return within(source.options, target.options, "kind");
  if (source.kind === "value" && target.kind === "value" && classes[source.name]?.includes(target.name)) {
    return yes(`${wordsOf(source)} is a kind of ${wordsOf(target)}`);
  }
  return no(`${wordsOf(source)} is not ${wordsOf(target)}`);
}

function isNarrowText(type: SocketType): boolean {
  return type.kind === "menu" || type.kind === "choice" || type.kind === "file";
}

function within(given: readonly (string | number)[], allowed: readonly (string | number)[], what: string): Verdict {
  const extra = given.filter((one) => !allowed.includes(one));
  return extra.length > 0 ? no(`it may be ${extra.join(", ")}`) : yes(`every ${what} is allowed`);
}

function menuIntoScalar(source: Of<"menu">, target: Of<"scalar">): Verdict {
  const kinds = new Set(source.options.map((option) => typeof option));
  if (kinds.size === 1 && kinds.has("string") && target.name === "text") return yes("every option is text");
  if (kinds.size === 1 && kinds.has("number") && (target.name === "int" || target.name === "float")) {
    return yes("every option is a whole number");
  }
  return no(`${wordsOf(source)} is not ${wordsOf(target)}`);
}
