/** Named inputs and outputs: the workflow as a function. */

import { asLiteral, readDocument, splitPort, splitReference, type Document, type Port } from "./document";
import { setInput } from "./edits";
import type { Json } from "./json";

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

/** A name for an input that no other has. */
export function freshName(document: Document, port: string): string {
  const base = splitPort(port).name;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}_${number}`;
    if (!Object.hasOwn(document.inputs ?? {}, name)) return name;
  }
}
