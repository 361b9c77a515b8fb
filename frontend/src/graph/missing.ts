/** Files that a workflow names and that are not there: what they are, where, and which ones are near. */

import type { Catalogue } from "./catalogue";
import { literalOf, type Document, type Port } from "./document";
import { setInput } from "./edits";
import { typeOf } from "./nodetypes";
import { rowsOf } from "./scene";
import { everywhere, isBoundary } from "./scope";
import type { Widget } from "./widgets";

export interface MissingFile {
  readonly kind: string;
  readonly name: string;
  readonly places: readonly Port[];
  /** Files that are there, the nearest first. */
  readonly near: readonly string[];
}

type Files = Readonly<Record<string, readonly string[]>>;

const MOST = 3;
/** How much of two names has to agree, of 1. */
const NEAR = 0.35;

/** Every file that is named and not there, once, with all places that name it. */
export function missingFiles(document: Document, catalogue: Catalogue, files: Files): MissingFile[] {
  const found = new Map<string, { kind: string; name: string; places: Port[] }>();
  everywhere(document, (scope) => {
    for (const { kind, name, port } of filesOf(scope, catalogue)) {
      const there = files[kind] ?? [];
      if (name === "" || there.includes(name)) continue;
      const one = found.get(`${kind}/${name}`) ?? { kind, name, places: [] };
      one.places.push(port);
      found.set(`${kind}/${name}`, one);
    }
    return scope;
  });
  return [...found.values()].map((one) => ({ ...one, near: nearest(one.name, files[one.kind] ?? []) }));
}

/** Another file wherever this one is named. */
export function withFile(document: Document, catalogue: Catalogue, { kind, name }: Pick<MissingFile, "kind" | "name">, other: string): Document {
  return everywhere(document, (scope) =>
    filesOf(scope, catalogue)
      .filter((one) => one.kind === kind && one.name === name)
      .reduce((edited, { port }) => setInput(edited, port, other), scope),
  );
}

function filesOf(scope: Document, catalogue: Catalogue): { kind: string; name: string; port: Port }[] {
  return Object.entries(scope.nodes).flatMap(([node, entry]) =>
    isBoundary(node)
      ? []
      : rowsOf(entry, typeOf(scope, node, catalogue)).flatMap(({ port, input, value, isNew }) => {
          const kind = kindOf(input.widget);
          const name = literalOf(value === undefined ? input.default : value);
          return kind === null || isNew || typeof name !== "string" ? [] : [{ kind, name, port: { node, port } }];
        }),
  );
}

function kindOf(widget: Widget): string | null {
  if (widget.kind === "optional") return kindOf(widget.item);
  return widget.kind === "file" ? widget.files : null;
}

/** The names that are most like a name: by the pairs of letters that they share (Dice's coefficient). */
export function nearest(name: string, names: readonly string[]): string[] {
  const wanted = pairsOf(name);
  return names
    .map((one) => ({ one, part: likeness(wanted, pairsOf(one)) }))
    .filter(({ part }) => part >= NEAR)
    .sort((a, b) => b.part - a.part)
    .slice(0, MOST)
    .map(({ one }) => one);
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((pair) => b.has(pair)).length;
  return a.size + b.size === 0 ? 0 : (2 * shared) / (a.size + b.size);
}

/** Pairs of neighbouring letters; folders and endings say little of what a file is. */
function pairsOf(name: string): Set<string> {
  const plain = (name.split("/").at(-1) ?? name).replace(/\.\w+$/, "").toLowerCase();
  return new Set(Array.from({ length: Math.max(0, plain.length - 1) }, (_, at) => plain.slice(at, at + 2)));
}
