/** Pictures that nodes load from files. */

import type { NodeType } from "./catalogue";
import { literalOf, type NodeEntry } from "./document";

/** The kind of file that a picture is. */
export const IMAGES = "images";

/** The input and the file of a node that gives a mask along with its picture: where that is transparent. */
export function paintableOf(entry: NodeEntry, type: NodeType): { port: string; file: string } | null {
  if (!Object.values(type.outputs).some((output) => output.kind === "value" && output.name === "mask")) return null;
  return loadedBy(entry, type);
}

/** What a picture is called: an upload lies under the name of its content, and was called something. */
export function pictureTitle(file: string, uploads: ReadonlyMap<string, string>): string {
  return uploads.get(file) || file;
}

/** The picture that a node loads, if it is written in it, and the input that names it. */
export function loadedBy(entry: NodeEntry, type: NodeType): { port: string; file: string } | null {
  const input = type.inputs.find(({ widget }) => widget.kind === "file" && widget.files === IMAGES);
  const file = input && literalOf(entry.inputs?.[input.name]);
  return input && typeof file === "string" && file !== "" ? { port: input.name, file } : null;
}
