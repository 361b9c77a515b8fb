/** The library of nodes: its lines, its keys, and a node that is put into a link. */

import { expect, test } from "vitest";

import { readCatalogue, type NodeTypeData } from "../src/graph/catalogue";
import { addNode } from "../src/graph/edits";
import { firstPort, inserted } from "../src/graph/insertion";
import { linksOf } from "../src/graph/links";
import { FOUND, LIKED, mainSockets, RECENT, shelfLines, shelfStep, usedLast, type Shelf } from "../src/graph/shelf";
import { CATALOGUE, DOCUMENT, TYPES } from "./knowledge";

const socket = (type: string) => ({ required: true, schema: { "x-socket": { type } } });
const made = (id: string, category: string, inputs: NodeTypeData["inputs"], outputs: Record<string, unknown>): NodeTypeData => ({
  id, title: id, category, help: "", inputs, outputs, version: 1, pack: "test", output: false, deprecated: null, experimental: false,
});
const ALL = readCatalogue([
  ...TYPES,
  made("patch", "Model", { strength: { required: false, schema: { type: "number", default: 1, "x-socket": { type: "float" } } }, model: socket("model") }, { model: { type: "model" } }),
  made("merge", "Model", { first: socket("vae"), second: socket("model") }, { vae: { type: "vae" }, model: { type: "model" } }),
]);
const KNOWN = { catalogue: ALL, classes: {} };
const NOTHING: Shelf = { query: "", liked: [], recent: [], open: new Set() };
const keys = (shelf: Partial<Shelf>) => shelfLines([...ALL.values()], { ...NOTHING, ...shelf }).map(({ key }) => key);

test("what is liked and was used last comes before the categories, and those that are open show their nodes", () => {
  expect(keys({})).toEqual(["Model", "Test"]);
  expect(keys({ open: new Set(["Model"]) })).toEqual(["Model", "Model merge", "Model patch", "Test"]);
  expect(keys({ liked: ["load", "gone"], recent: ["patch"], open: new Set([LIKED]) })).toEqual([LIKED, `${LIKED} load`, RECENT, "Model", "Test"]);
});

test("nodes of no category come last", () => {
  const types = [...readCatalogue([made("loose", "", {}, {}), made("firm", "Zoo", {}, {})]).values()];
  expect(shelfLines(types, NOTHING).map(({ key }) => key)).toEqual(["Zoo", ""]);
});

test("a search shows what it finds as one list, the best first", () => {
  expect(keys({ query: "patch", liked: ["load"] })).toEqual([`${FOUND} patch`]);
  expect(shelfLines([...ALL.values()], { ...NOTHING, query: "patch" })[0]).toMatchObject({ level: 1, place: { index: 0, of: 1 } });
  expect(keys({ query: "no such node" })).toEqual([]);
});

test("arrow keys walk through the lines, into sections and out of them", () => {
  const lines = shelfLines([...ALL.values()], { ...NOTHING, open: new Set(["Model"]) });
  const step = (at: string, key: string) => shelfStep(lines, at, key);
  expect(step("Model", "ArrowDown")).toEqual({ to: "Model merge" });
  expect(step("Model", "ArrowRight")).toEqual({ to: "Model merge" });
  expect(step("Model", "ArrowLeft")).toEqual({ fold: "Model" });
  expect(step("Model patch", "ArrowLeft")).toEqual({ to: "Model" });
  expect(step("Test", "ArrowRight")).toEqual({ fold: "Test" });
  expect(step("Model", "ArrowUp")).toBeNull();
  expect(step("Model", "End")).toEqual({ to: "Test" });
  expect(step("Test", "x")).toBeNull();
});

test("nodes that were used last are few, and each stands there once", () => {
  expect(usedLast(["a", "b", "c"], "c", 3)).toEqual(["c", "a", "b"]);
  expect(usedLast(["a", "b", "c"], "d", 3)).toEqual(["d", "a", "b"]);
});

test("the main sockets are those that only links feed", () => {
  const type = CATALOGUE.get("sample");
  if (type === undefined) throw new Error("no such type");
  expect(mainSockets(type).inputs.map(({ name }) => name)).toEqual(["model", "positive"]);
});

function put(id: string, port: string) {
  const type = ALL.get(id);
  const link = linksOf(DOCUMENT, ALL).find(({ to }) => `${to.node}.${to.port}` === port);
  if (type === undefined || link === undefined) throw new Error("no such type or link");
  const added = addNode(DOCUMENT, type, { x: 0, y: 0 });
  return inserted(added.document, added.id, link, KNOWN);
}

test("a node is put into a link between sockets that fit", () => {
  const patched = put("patch", "sample.model");
  expect(patched?.nodes.patch?.inputs).toEqual({ strength: 1, model: { from: "loader.model" } });
  expect(patched?.nodes.sample?.inputs?.model).toEqual({ from: "patch" });
  // Not its first socket, but the one that fits.
  const merged = put("merge", "sample.model");
  expect(merged?.nodes.merge?.inputs).toEqual({ second: { from: "loader.model" } });
  expect(merged?.nodes.sample?.inputs?.model).toEqual({ from: "merge.model" });
});

test("a node that takes anything passes on what it was given", () => {
  expect(put("logic.if", "sample.model")?.nodes.sample?.inputs?.model).toEqual({ from: "if" });
});

test("a node whose types do not fit stays out of a link", () => {
  expect(put("encode", "sample.model")).toBeNull();
  expect(put("patch", "prompt.encoder")).toBeNull();
  expect(put("image.make", "sample.model")).toBeNull();
});

test("a link into an input that grows ends at its first member", () => {
  const ports = ["image.join", "math.calculate", "patch"].map((id) => ALL.get(id)?.inputs[0]).map((input) => input && firstPort(input));
  expect(ports).toEqual(["images[0]", "values.a", "strength"]);
});
