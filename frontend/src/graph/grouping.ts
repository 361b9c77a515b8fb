/** Some nodes become a subgraph, and a node that uses it stands in their place: what runs is the same. */

import { waysOfGroup } from "./borderways";
import { alsoSeen } from "./comments";
import { freshDefinition } from "./definitions";
import {
  linkOf,
  linksInto,
  positionOf,
  splitPort,
  splitReference,
  type Document,
  type NodeEntry,
  type Point,
  type Port,
  type SubgraphEntry,
} from "./document";
import { freshId, moveNodes, removeNodes, withNode } from "./edits";
import { placesOf } from "./interface";
import { printJson, type Json } from "./json";
import { outputType, type Knowledge } from "./links";
import { stepsOf, valueAt, withValueAt } from "./members";
import { freshName, plainName } from "./names";
import { inputOf, outputOf, SEED, typeOf } from "./nodetypes";
import { ledOver, nameOf, withWays } from "./reroutes";
import { mapValues, relink } from "./rewrite";
import { ENTRANCE, EXIT, isBoundary, type DeclaredInput } from "./scope";
import { writeType, type SocketType } from "./sockets";
import { RANDOM } from "./widgets";

export interface Grouped {
  readonly document: Document;
  /** The node that stands for the group, and the definition that it uses. */
  readonly id: string;
  readonly name: string;
  /** Named inputs of the workflow that fed a place which no input of the subgraph can reach. */
  readonly unfed: readonly string[];
}

/** Make a subgraph of some nodes. Links that cross its border become its inputs and outputs. */
export function group(document: Document, ids: readonly string[], title: string, known: Knowledge): Grouped | null {
  const chosen = new Set(ids.filter((id) => Object.hasOwn(document.nodes, id) && !isBoundary(id)));
  if (chosen.size === 0) return null;
  const inner = new Inner(document, chosen, known);
  const name = freshDefinition(document, title);
  const definition = inner.definition(title);
  const id = freshId(document, `#${name}`);
  let edited = withNode(inner.readFrom(id), id, { type: `#${name}`, inputs: inner.given });
  edited = moveNodes(removeNodes(edited, [...chosen]), { [id]: centreOf(document, [...chosen]) });
  edited = withWays(edited, waysOfGroup(document, id, inner));
  return { document: { ...edited, subgraphs: { ...edited.subgraphs, [name]: definition } }, id, name, unfed: inner.unfed };
}

/** What goes into a group and comes out of it, found link by link. */
class Inner {
  readonly given: Record<string, Json> = {};
  private readonly inputs: Record<string, DeclaredInput> = {};
  private readonly outputs: Record<string, { type: Json; from: string }> = {};
  private readonly nodes: Record<string, NodeEntry> = {};
  private readonly bySource = new Map<string, string>();
  private readonly byOutput = new Map<string, string>();
  /** By the name of an input of the workflow: the inputs that hand it through. */
  private readonly named = new Map<string, string[]>();
  private readonly fed: ReadonlySet<string>;
  readonly unfed: readonly string[];

  constructor(
    private readonly document: Document,
    private readonly chosen: ReadonlySet<string>,
    private readonly known: Knowledge,
  ) {
    for (const id of chosen) {
      const entry = document.nodes[id];
      if (entry) this.nodes[id] = entry;
    }
    const places = Object.keys(document.inputs ?? {}).flatMap((name) => placesOf(document, name));
    this.fed = new Set(places.filter((place) => this.canRead(place)).map(nameOf));
    const isLost = (place: Port) => chosen.has(place.node) && !this.fed.has(nameOf(place));
    this.unfed = Object.keys(document.inputs ?? {}).filter((name) => placesOf(document, name).some(isLost));
    this.takeLinks();
    this.takeNamedInputs();
    this.giveLinks();
  }

  definition(title: string): SubgraphEntry {
    const first = [...this.chosen].map((id) => positionOf(this.document, id) ?? { x: 0, y: 0 });
    const left = Math.min(...first.map(({ x }) => x));
    const right = Math.max(...first.map(({ x }) => x));
    const top = Math.min(...first.map(({ y }) => y));
    const places = Object.fromEntries([...this.chosen].map((id, index) => [id, { ...(first[index] ?? { x: 0, y: 0 }) }]));
    const ways = ledOver(this.document.view, (reference) => (this.isInside(reference) ? reference : null));
    const seen: SubgraphEntry = {
      title,
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: this.nodes,
      view: { nodes: { ...places, [ENTRANCE]: { x: left - 300, y: top }, [EXIT]: { x: right + 360, y: top } } },
    };
    return alsoSeen(withWays(seen, ways), this.document, new Map([...this.chosen].map((id) => [id, id])));
  }

  isInside(reference: string): boolean {
    return this.chosen.has(splitReference(reference).node);
  }

  /** What is linked to a place of the document that is grouped. */
  sourceOf(place: string): string | null {
    const { node, output } = splitReference(place);
    const reference = linkOf(valueAt(this.document.nodes[node], output ?? ""));
    return reference === null ? null : nameOf(this.outputAt(reference));
  }

  inputFor(source: string): string | undefined {
    const isFrom = (value: Json) => {
      const reference = linkOf(value);
      return reference !== null && nameOf(this.outputAt(reference)) === source;
    };
    return Object.keys(this.given).find((name) => isFrom(this.given[name] ?? null));
  }

  outputFor(source: string): string | undefined {
    return this.byOutput.get(source);
  }

  /** Links from outside: one input for each source. */
  private takeLinks(): void {
    for (const [id, entry] of Object.entries(this.nodes)) {
      for (const { port, reference } of linksInto(entry)) {
        const source = this.outputAt(reference);
        if (this.fed.has(nameOf({ node: id, port }))) continue;
        if (this.chosen.has(source.node) || !Object.hasOwn(this.document.nodes, source.node)) continue;
        const key = nameOf(source);
        const name = this.bySource.get(key) ?? this.declare(splitPort(port).name, this.typeBetween(source, { node: id, port }));
        this.bySource.set(key, name);
        this.given[name] = { from: reference };
      }
      this.nodes[id] = mapValues(entry, (value) => {
        const reference = linkOf(value);
        const name = reference === null ? undefined : this.bySource.get(nameOf(this.outputAt(reference)));
        return name === undefined ? value : { input: name };
      });
    }
  }

  /** Inputs of the workflow that feed a node inside: handed through, with what stands there now. */
  private takeNamedInputs(): void {
    for (const name of Object.keys(this.document.inputs ?? {})) {
      const places = placesOf(this.document, name).filter((place) => this.fed.has(nameOf(place)));
      // Places that hold different values keep them: each value is an input of its own.
      const byValue = new Map<string, string>();
      for (const place of places) {
        const value = printJson(valueAt(this.document.nodes[place.node], place.port) ?? null);
        const own = byValue.get(value) ?? this.handThrough(name, place);
        byValue.set(value, own);
        this.put(place.node, place.port, { input: own });
      }
      if (byValue.size > 0) this.named.set(name, [...byValue.values()]);
    }
  }

  private handThrough(name: string, place: Port): string {
    const value = valueAt(this.document.nodes[place.node], place.port);
    const reference = linkOf(value);
    const input = inputOf(this.typeOf(place.node), place.port);
    const isMember = stepsOf(place.port).steps.length > 0;
    const type = reference !== null ? this.typeBetween(this.outputAt(reference), place) : this.typeAt(place, value);
    const own = this.declare(name, type, reference !== null || isMember ? undefined : (value ?? input?.default));
    if (value !== undefined) this.given[own] = value;
    return own;
  }

  /** Whether a place inside can read an input: a field that is left to its default, or lies deeper, cannot. */
  private canRead({ node, port }: Port): boolean {
    const { steps } = stepsOf(port);
    const value = valueAt(this.document.nodes[node], port);
    if (!this.chosen.has(node) || steps.length > 1 || (steps.length === 1 && value === undefined)) return false;
    const reference = linkOf(value);
    return reference === null || !this.chosen.has(splitReference(reference).node);
  }

  /** What a place takes. What the fields of a record take, only their values tell. */
  private typeAt({ node, port }: Port, value: Json | undefined): Json {
    const input = inputOf(this.typeOf(node), port);
    if (input?.widget.kind === "seed") return SEED;
    const isField = input?.growing === null && stepsOf(port).steps.length > 0;
    return isField ? typeOfLiteral(value) : writeType(input?.type ?? ANYTHING);
  }

  /** Links to outside, and outputs of the workflow: one output for each source. */
  private giveLinks(): void {
    const give = (reference: string) => {
      const source = this.outputAt(reference);
      const key = nameOf(source);
      if (!this.chosen.has(source.node) || this.byOutput.has(key)) return;
      const name = fresh(this.outputs, source.port);
      const type = outputType(this.document, source, this.known);
      this.outputs[name] = { type: writeType(type ?? ANYTHING), from: key };
      this.byOutput.set(key, name);
    };
    for (const [id, entry] of Object.entries(this.document.nodes)) {
      if (!this.chosen.has(id)) for (const { reference } of linksInto(entry)) give(reference);
    }
    for (const { from } of Object.values(this.document.outputs ?? {})) give(from);
  }

  /** The document in which everybody reads, and is fed through, the node that stands for the group. */
  readFrom(id: string): Document {
    const { nodes, inputs, outputs } = this.document;
    const follow = (reference: string) => {
      const name = this.byOutput.get(nameOf(this.outputAt(reference)));
      if (name === undefined) return reference;
      return this.byOutput.size === 1 ? id : `${id}.${name}`;
    };
    const read = Object.entries(nodes).map(([reader, entry]) => [reader, relink(entry, follow)] as const);
    const shown = Object.entries(outputs ?? {}).map(([key, output]) => [key, { ...output, from: follow(output.from) }] as const);
    const fed = { ...inputs };
    for (const [name, owns] of this.named) {
      const input = fed[name];
      if (input) fed[name] = { ...input, to: [...input.to, ...owns.map((own) => `${id}.${own}`)] };
    }
    return {
      ...this.document,
      nodes: Object.fromEntries(read),
      ...(inputs ? { inputs: fed } : {}),
      ...(outputs ? { outputs: Object.fromEntries(shown) } : {}),
    };
  }

  private declare(wanted: string, type: Json, value?: Json): string {
    const name = fresh(this.inputs, wanted);
    this.inputs[name] = { type, ...(value !== undefined && value !== null ? { default: value } : {}) };
    return name;
  }

  private put(id: string, port: string, value: Json): void {
    const entry = this.nodes[id];
    if (entry) this.nodes[id] = withValueAt(entry, port, value);
  }

  /** What flows over a link, or what its end takes where only that is known. */
  private typeBetween(source: Port, target: Port): Json {
    const given = outputType(this.document, source, this.known);
    const input = inputOf(this.typeOf(target.node), target.port);
    if (input?.widget.kind === "seed") return SEED;
    return writeType(given === null || given.kind === "generic" ? (input?.type ?? ANYTHING) : given);
  }

  private typeOf(id: string) {
    return typeOf(this.document, id, this.known.catalogue);
  }

  private outputAt(reference: string): Port {
    const { node, output } = splitReference(reference);
    if (!Object.hasOwn(this.document.nodes, node)) return { node, port: output ?? "" };
    return { node, port: outputOf(this.typeOf(node), output) };
  }
}

const ANYTHING: SocketType = { kind: "generic", name: "T" };

/** The type of a literal as a definition declares it. Every number may be a fraction: a whole one stays whole. */
function typeOfLiteral(value: Json | undefined): Json {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  if (Array.isArray(value)) return { type: "list", item: { type: typeOfLiteral(value[0]) } };
  return value === RANDOM ? SEED : "text";
}

function fresh(taken: object, wanted: string): string {
  return freshName(plainName(wanted, "value"), (name) => Object.hasOwn(taken, name));
}

function centreOf(document: Document, ids: readonly string[]): Point {
  const places = ids.map((id) => positionOf(document, id) ?? { x: 0, y: 0 });
  const middle = (values: readonly number[]) => Math.round((Math.min(...values) + Math.max(...values)) / 2);
  return { x: middle(places.map(({ x }) => x)), y: middle(places.map(({ y }) => y)) };
}
