/** Members of growing inputs: taken out, put in another order, renamed. Named inputs that feed them follow. */

import { linkOf, splitPort, type Document, type Port } from "./document";
import { changeNode, setInput } from "./edits";
import { isObject } from "./json";
import { valueAt } from "./members";
import { waysFollow } from "./reroutes";
import { renameKey } from "./rewrite";

/** Take a member out. Those after it in a list move up. */
export function removeMember(document: Document, port: Port): Document {
  const edited = setInput(document, port, undefined); // what feeds the members of a list follows there
  if (typeof splitPort(port.port).member === "number") return edited;
  return retarget(edited, port.node, (place) => (isWithin(place, port.port) ? null : place));
}

/** Move a member up (-1) or down (1). One that cannot go further stays. */
export function moveMember(document: Document, port: Port, by: -1 | 1): Document {
  const { name, member } = splitPort(port.port);
  const whole = document.nodes[port.node]?.inputs?.[name];
  const names = Array.isArray(whole) ? whole.map((_, index) => index) : isObject(whole) ? Object.keys(whole) : [];
  const at = names.findIndex((one) => one === member);
  const other = names[at + by];
  if (at < 0 || other === undefined || member === null) return document;
  const swapped = changeNode(document, port.node, (entry) => {
    const entries = Array.isArray(whole) ? whole.map((value, index) => [String(index), value] as const) : Object.entries(whole as object);
    const [one] = entries.splice(at, 1);
    if (one !== undefined) entries.splice(at + by, 0, one);
    const value = Array.isArray(whole) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
    return { ...entry, inputs: { ...entry.inputs, [name]: value } };
  });
  // Members of a list are known by their place, those of an object by their name.
  if (!Array.isArray(whole)) return swapped;
  const [here, there] = [`${name}[${member}]`, `${name}[${other}]`];
  return retarget(swapped, port.node, (place) => (isWithin(place, here) ? moved(place, here, there) : moved(place, there, here)));
}

/** Give a member another name. Null where it cannot have it. */
export function renameMember(document: Document, port: Port, to: string): Document | null {
  const { name, member } = splitPort(port.port);
  const whole = document.nodes[port.node]?.inputs?.[name];
  if (typeof member !== "string" || !isObject(whole) || linkOf(whole) !== null || valueAt(document.nodes[port.node], port.port) === undefined) return null;
  if (!NAME.test(to) || Object.hasOwn(whole, to)) return null;
  const edited = changeNode(document, port.node, (entry) => ({
    ...entry,
    inputs: { ...entry.inputs, [name]: renameKey(whole, member, to) },
  }));
  return retarget(edited, port.node, (place) => moved(place, port.port, `${name}.${to}`));
}

const NAME = /^[A-Za-z0-9_-]+$/;

/** Whether a place is a member, or a field in it: `values[1]`, `values[1].width`. */
function isWithin(place: string, member: string): boolean {
  return place === member || (place.startsWith(member) && [".", "["].includes(place.charAt(member.length)));
}

function moved(place: string, from: string, to: string): string {
  return isWithin(place, from) ? to + place.slice(from.length) : place;
}

/** Named inputs of the workflow that feed a node, and way points of links to it, led elsewhere; null takes the place away. */
function retarget(document: Document, node: string, change: (port: string) => string | null): Document {
  const prefix = `${node}.`;
  const follow = (place: string): string | null => {
    if (!place.startsWith(prefix)) return place;
    const port = change(place.slice(prefix.length));
    return port === null ? null : prefix + port;
  };
  const led = waysFollow(document, follow);
  if (document.inputs === undefined) return led;
  const inputs = Object.entries(document.inputs).map(([name, input]) => {
    const to = input.to.map(follow).filter((place) => place !== null);
    return [name, { ...input, to }] as const;
  });
  return { ...led, inputs: Object.fromEntries(inputs.filter(([name, { to }]) => to.length > 0 || document.inputs?.[name]?.to.length === 0)) };
}
