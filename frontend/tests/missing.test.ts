/** Files that a workflow names and that are not there. */

import { expect, test } from "vitest";

import { readCatalogue } from "../src/graph/catalogue";
import type { Document } from "../src/graph/document";
import { missingFiles, nearest, withFile } from "../src/graph/missing";
import { TYPES } from "./knowledge";

const CATALOGUE = readCatalogue(TYPES);
const FILES = { checkpoints: ["tiny.safetensors", "sdxl/base_1.0.safetensors", "dream-v8.safetensors"] };

const load = (file: string) => ({ type: "load", inputs: { file } });
const DOCUMENT: Document = {
  nodegraph: 1,
  nodes: { a: load("dream-v7.safetensors"), b: load("tiny.safetensors"), c: load("dream-v7.safetensors"), d: load("zzz.ckpt") },
  subgraphs: { inner: { nodes: { e: load("dream-v7.safetensors") } } },
};

test("a missing file is told once, with all its places and what is near", () => {
  const at = (node: string) => ({ node, port: "file" });
  expect(missingFiles(DOCUMENT, CATALOGUE, FILES)).toEqual([
    { kind: "checkpoints", name: "dream-v7.safetensors", places: [at("a"), at("c"), at("e")], near: ["dream-v8.safetensors"] },
    { kind: "checkpoints", name: "zzz.ckpt", places: [at("d")], near: [] },
  ]);
});

test("another file takes its place everywhere, and nowhere else", () => {
  const missing = { kind: "checkpoints", name: "dream-v7.safetensors" };
  const after = withFile(DOCUMENT, CATALOGUE, missing, "tiny.safetensors");
  expect(missingFiles(after, CATALOGUE, FILES).map(({ name }) => name)).toEqual(["zzz.ckpt"]);
  expect(after.subgraphs?.inner?.nodes.e?.inputs?.file).toBe("tiny.safetensors");
  expect(after.nodes.d).toBe(DOCUMENT.nodes.d);
});

test("folders and endings do not count for what is near", () => {
  expect(nearest("models/SDXL_base_1.0.ckpt", FILES.checkpoints)).toEqual(["sdxl/base_1.0.safetensors"]);
});
