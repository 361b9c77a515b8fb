/** Named inputs and outputs: the workflow as a function. */

import type { InputSpec, NodeType } from "./catalogue";
import { asLiteral, readDocument, splitPort, splitReference, type Document, type Port } from "./document";
import { setInput } from "./edits";
import type { Json } from "./json";
import { stepsOf } from "./members";
import { freshName } from "./names";
import { inputOf } from "./nodetypes";
import { widgetOf } from "./widgets";

/** What a place takes: an input, one value of a growing one, or a field of a record, which is written as data. */
export function inputAt(type: NodeType, port: string): InputSpec | undefined {
  const input = inputOf(type, port);
  if (input === undefined || stepsOf(port).steps.length === 0) return input;
  const isField = input.growing === null || stepsOf(port).steps.length > 1;
  return { ...input, growing: null, default: undefined, widget: isField ? { kind: "data" } : widgetOf(input.type, {}) };
}

/** The places that a named input feeds. */
export function placesOf(document: Document, name: string): Port[] {
  return (document.inputs?.[name]?.to ?? []).map((place) => {
    const { node, output } = splitReference(place);
    return { node, port: output ?? "" };
  });
}

/** Under which names an input can be set from outside. */
export function exposedAs(document: Document, { node, port }: Port): string[] {
  const place = `${node}.${port}`;
  return Object.entries(document.inputs ?? {})
    .filter(([, { to }]) => to.includes(place))
    .map(([name]) => name);
}

export function expose(document: Document, name: string, { node, port }: Port): Document {
  return { ...document, inputs: { ...document.inputs, [name]: { to: [`${node}.${port}`] } } };
}

export function hide(document: Document, name: string): Document {
  const left = Object.entries(document.inputs ?? {}).filter(([other]) => other !== name);
  return { ...document, inputs: Object.fromEntries(left) };
}

/** A document as JSON with its named inputs set to what a run was given. What is no document stays as it is. */
export function withInputs(data: Json, inputs: Readonly<Record<string, unknown>>): Json {
  const document = readDocument(data);
  if (typeof document === "string") return data;
  const set = Object.keys(document.inputs ?? {}).filter((name) => inputs[name] !== undefined && inputs[name] !== null);
  const edited = set.reduce(
    (one, name) => placesOf(one, name).reduce((next, place) => setInput(next, place, asLiteral(inputs[name] as Json)), one),
    document,
  );
  return edited as unknown as Json;
}

/** A name for a named input that no other has. */
export function freshInput(document: Document, port: string): string {
  return freshName(splitPort(port).name, (name) => Object.hasOwn(document.inputs ?? {}, name));
}
