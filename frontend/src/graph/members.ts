/** Places within inputs: `images[0]`, `values.a` and `mode.width` are members of one, `modes[1].width` one of a member. */

import { linkOf, literalOf, type NodeEntry } from "./document";
import { isObject, type Json, type JsonObject } from "./json";

export type Step = number | string;

/** `"modes[1].width"` -> the input, and the way to what is meant. */
export function stepsOf(port: string): { name: string; steps: readonly Step[] } {
  const [name = port, ...rest] = port.match(/[^.[\]]+|\[\d+\]/g) ?? [port];
  return { name, steps: rest.map((step) => (step.startsWith("[") ? Number(step.slice(1, -1)) : step)) };
}

export function portOf(name: string, steps: readonly Step[]): string {
  return name + steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
}

/** What a node holds at a place: a link, a literal, or undefined. */
export function valueAt(entry: NodeEntry | undefined, port: string): Json | undefined {
  const { name, steps } = stepsOf(port);
  return steps.reduce<Json | undefined>((value, step) => {
    const held = literalOf(value);
    if (Array.isArray(held)) return typeof step === "number" ? held[step] : undefined;
    return isObject(held) && linkOf(held) === null && Object.hasOwn(held, step) ? held[step] : undefined;
  }, entry?.inputs?.[name]);
}

/** The entry with a value at a place. A member of a list must stand there already. */
export function withValueAt(entry: NodeEntry, port: string, value: Json): NodeEntry {
  const { name, steps } = stepsOf(port);
  return { ...entry, inputs: { ...entry.inputs, [name]: put(entry.inputs?.[name], steps, value) } };
}

function put(held: Json | undefined, steps: readonly Step[], value: Json): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  const whole = literalOf(held);
  if (typeof step === "number") {
    return Array.isArray(whole) ? whole.map((item, index) => (index === step ? put(item, rest, value) : item)) : (held ?? null);
  }
  const record: JsonObject = isObject(whole) ? whole : {};
  const changed = { ...record, [step]: put(record[step], rest, value) };
  // What was escaped stays so: `{"value": {…}}`.
  return whole === held || held === undefined ? changed : { value: changed };
}

/** All places of a node: its inputs, and their members one level deep, which is as far as links are looked for. */
export function placesIn(entry: NodeEntry): { port: string; value: Json }[] {
  return Object.entries(entry.inputs ?? {}).flatMap(([name, value]) => {
    const whole = { port: name, value };
    if (Array.isArray(value)) return [whole, ...value.map((item, index) => ({ port: portOf(name, [index]), value: item }))];
    if (!isObject(value) || linkOf(value) !== null) return [whole];
    return [whole, ...Object.entries(value).map(([key, item]) => ({ port: portOf(name, [key]), value: item }))];
  });
}
