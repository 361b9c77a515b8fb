/** What can be varied in a workflow, and the values that somebody writes for it. */

import type { Catalogue } from "./catalogue";
import { literalOf, valueAt, type Document, type Port } from "./document";
import { expose, exposedAs, freshName, placesOf } from "./interface";
import type { Json } from "./json";
import { inputOf, typeOf } from "./nodetypes";
import { rowsOf } from "./scene";
import { RANDOM, type Widget } from "./widgets";

/** An input that may be an axis: a named one, or any other that is written in the graph. */
export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly group: "named" | "node";
  readonly port: Port;
  readonly widget: Widget;
  /** What stands there now, as text. */
  readonly now: string;
}

const VARIED: ReadonlySet<Widget["kind"]> = new Set(["number", "seed", "text", "toggle", "menu", "choice", "file"]);
const MOST = 1_000;
const RANGE = /^(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?$/;

/** All inputs that can be varied: the named ones first, then those of the nodes in their order. */
export function choicesOf(document: Document, catalogue: Catalogue): Choice[] {
  const named = Object.keys(document.inputs ?? {}).flatMap((name): Choice[] => {
    const port = placesOf(document, name)[0];
    const input = port && document.nodes[port.node] ? inputOf(typeOf(document, port.node, catalogue), port.port) : undefined;
    if (port === undefined || input === undefined || !VARIED.has(input.widget.kind)) return [];
    return [{ id: `name ${name}`, label: name, group: "named", port, widget: input.widget, now: written(document, port) }];
  });
  const others = Object.entries(document.nodes).flatMap(([id, entry]) => {
    const type = typeOf(document, id, catalogue);
    return rowsOf(entry, type)
      .filter(({ port, input, linked, isNew }) => !linked && !isNew && VARIED.has(input.widget.kind) && exposedAs(document, { node: id, port }).length === 0)
      .map(({ port, label, input }): Choice => {
        const place = { node: id, port };
        const title = `${entry.title ?? type.title} · ${label}`;
        return { id: `${id}.${port}`, label: title, group: "node", port: place, widget: input.widget, now: written(document, place) };
      });
  });
  return [...named, ...others];
}

function written(document: Document, port: Port): string {
  const value = literalOf(valueAt(document, port));
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

/** The workflow with every axis as a named input, and the names. */
export function withAxes(document: Document, choices: readonly Choice[]): { document: Document; names: string[] } {
  const names: string[] = [];
  const named = choices.reduce((edited, { group, label, port }) => {
    const name = group === "named" ? label : freshName(edited, port.port);
    names.push(name);
    return group === "named" ? edited : expose(edited, name, port);
  }, document);
  return { document: named, names };
}

/** The values that a text means for a widget; a sentence where it means none. */
export function valuesOf(widget: Widget, text: string): Json[] | string {
  const isText = widget.kind === "text";
  // A prompt has commas: prompts stand on lines of their own.
  const parts = text.split(isText || text.includes("\n") ? "\n" : ",").map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length === 0) return "Write at least one value.";
  const values: Json[] = [];
  for (const part of parts) {
    const found = isText ? [part] : valuesIn(widget, part);
    if (typeof found === "string") return found;
    values.push(...found);
    if (values.length > MOST) return `These are more than ${MOST} values.`;
  }
  return values;
}

function valuesIn(widget: Widget, part: string): Json[] | string {
  switch (widget.kind) {
    case "seed":
      return part === RANDOM ? [part] : numbers(part, true);
    case "number":
      return numbers(part, widget.integer);
    case "toggle":
      return part === "true" || part === "yes" ? [true] : part === "false" || part === "no" ? [false] : `“${part}” is neither yes nor no.`;
    case "menu": {
      const option = widget.options.find((one) => String(one) === part);
      return option === undefined ? `“${part}” is none of ${widget.options.join(", ")}.` : [option];
    }
    default:
      return [part];
  }
}

function numbers(part: string, integer: boolean): Json[] | string {
  const range = RANGE.exec(part);
  if (range) return span(BigInt(range[1] ?? 0), BigInt(range[2] ?? 0), BigInt(range[3] ?? 1));
  if (/^-?\d+$/.test(part)) return [exact(BigInt(part))];
  const number = Number(part);
  if (!Number.isFinite(number)) return `“${part}” is no number.`;
  return integer && !Number.isInteger(number) ? `“${part}” is no whole number.` : [number];
}

/** Whole numbers from first to last, up or down, both included. */
function span(first: bigint, last: bigint, step: bigint): Json[] | string {
  if (step === 0n) return "A range does not move in steps of 0.";
  const isUp = last >= first;
  if ((isUp ? last - first : first - last) / step >= BigInt(MOST)) return `This range has more than ${MOST} numbers.`;
  const found: Json[] = [];
  for (let at = first; isUp ? at <= last : at >= last; at += isUp ? step : -step) found.push(exact(at));
  return found;
}

function exact(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
