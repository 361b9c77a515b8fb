import { expect, test } from "vitest";

import { copyText, fragment, paste, pastedDocument } from "../src/graph/clipboard";
import { linkOf, positionOf, sameDocument, splitPort, type Document } from "../src/graph/document";
import { addNode, connect, disconnect, removeNodes, setInput, setMode, setTitle } from "../src/graph/edits";
import { parseJson, printJson } from "../src/graph/json";
import { linksOf } from "../src/graph/links";
import { rowsOf, sceneOf } from "../src/graph/scene";
import { typeOf } from "../src/graph/nodetypes";
import { CATALOGUE, DOCUMENT } from "./knowledge";

const type = (id: string) => {
  const found = CATALOGUE.get(id);
  if (found === undefined) throw new Error(id);
  return found;
};

test("a new node has an id of its own and its defaults", () => {
  const { document, id } = addNode(DOCUMENT, type("sample"), { x: 10.4, y: 20 });
  expect(id).toBe("sample_2");
  expect(document.nodes[id]).toEqual({ type: "sample", inputs: { seed: 0, steps: 20, cfg: 7 } });
  expect(positionOf(document, id)).toEqual({ x: 10, y: 20 });
  expect(document.nodes.sample).toBe(DOCUMENT.nodes.sample);
});

test("removing a node takes away what refers to it, and nothing else", () => {
  const left = removeNodes(DOCUMENT, ["prompt"]);
  expect(left.nodes.sample?.inputs).toEqual({ model: { from: "loader.model" }, seed: 7 });
  expect(left.inputs).toEqual({});
  expect(left.outputs).toEqual(DOCUMENT.outputs);
  expect(positionOf(left, "prompt")).toBeNull();
  expect(left.nodes.loader).toBe(DOCUMENT.nodes.loader);
});

test("members of growing inputs are added, replaced, and close up when one leaves", () => {
  const nodes = { a: { type: "image.make" }, b: { type: "image.make" }, join: { type: "image.join" } };
  let document: Document = { nodegraph: 1, nodes };
  document = connect(document, { node: "a", port: "image" }, { node: "join", port: "images[0]" }, true);
  document = connect(document, { node: "b", port: "image" }, { node: "join", port: "images[1]" }, true);
  expect(document.nodes.join?.inputs).toEqual({ images: [{ from: "a" }, { from: "b" }] });
  const shorter = disconnect(document, [{ node: "join", port: "images[0]" }]);
  expect(shorter.nodes.join?.inputs).toEqual({ images: [{ from: "b" }] });
  const both = disconnect(document, [{ node: "join", port: "images[0]" }, { node: "join", port: "images[1]" }]);
  expect(both.nodes.join?.inputs).toEqual({});
  const rows = rowsOf(document.nodes.join ?? { type: "" }, type("image.join"));
  expect(rows.map(({ port, isNew }) => [port, isNew])).toEqual([["images[0]", false], ["images[1]", false], ["images[2]", true]]);
});

test("named members are set by name", () => {
  const calculate: Document = { nodegraph: 1, nodes: { c: { type: "math.calculate" } } };
  const one = setInput(calculate, { node: "c", port: "values.a" }, 3);
  expect(one.nodes.c?.inputs).toEqual({ values: { a: 3 } });
  const rows = rowsOf(one.nodes.c ?? { type: "" }, type("math.calculate"));
  expect(rows.map(({ port }) => port)).toEqual(["values.a", "values.b"]);
  expect(splitPort("values.a")).toEqual({ name: "values", member: "a" });
});

test("mode and title are written and taken away", () => {
  const changed = setTitle(setMode(DOCUMENT, ["sample"], "mute"), "sample", "Draw");
  expect(changed.nodes.sample).toMatchObject({ mode: "mute", title: "Draw" });
  expect(sameDocument(setTitle(setMode(changed, ["sample"], null), "sample", ""), DOCUMENT)).toBe(true);
});

test("what is copied is a workflow without links to what stayed", () => {
  const piece = fragment(DOCUMENT, ["prompt", "sample"]);
  expect(piece.nodes.prompt?.inputs).toEqual({ text: "a circle" });
  expect(piece.nodes.sample?.inputs).toEqual({ positive: { from: "prompt" }, seed: 7 });
});

test("pasting gives new ids and keeps the links among the copies", () => {
  const piece = pastedDocument(copyText(DOCUMENT, ["prompt", "sample"]));
  if (typeof piece === "string") throw new Error(piece);
  const { document, ids } = paste(DOCUMENT, piece, { x: 50, y: 60 });
  expect(ids).toEqual(["encode", "sample_2"]);
  expect(linkOf(document.nodes.sample_2?.inputs?.positive)).toBe("encode");
  expect(positionOf(document, "encode")).toEqual({ x: 50, y: 60 });
  expect(positionOf(document, "sample_2")).toEqual({ x: 350, y: 60 });
  expect(Object.keys(document.nodes)).toHaveLength(5);
});

test("text that is no workflow is refused in words", () => {
  expect(pastedDocument("hello")).toContain("cannot be read");
  expect(pastedDocument("[1]")).toContain("not a JSON object");
  expect(pastedDocument('{"nodegraph": 2, "nodes": {}}')).toContain("no nodegraph workflow");
});

test("64-bit seeds and unknown fields survive", () => {
  const text = '{"nodegraph":1,"nodes":{"s":{"type":"x","inputs":{"seed":18446744073709551615},"later":{"a":1.5}}},"more":[true]}';
  const read = pastedDocument(text);
  if (typeof read === "string") throw new Error(read);
  expect(printJson(setTitle(setTitle(read, "s", "T"), "s", ""))).toBe(text);
  expect(parseJson("9007199254740993")).toBe(9007199254740993n);
});

test("nodes of unknown types show what they have", () => {
  const nodes = { a: { type: "gone.node", inputs: { x: 1, y: { from: "b" } } }, b: { type: "gone.other" } };
  const document: Document = { nodegraph: 1, nodes };
  const unknown = typeOf(document, "a", CATALOGUE);
  expect(unknown.isPlaceholder).toBe(true);
  expect(unknown.inputs.map(({ name }) => name)).toEqual(["x", "y"]);
  expect(linksOf(document, CATALOGUE)).toEqual([{ from: { node: "b", port: "output" }, to: { node: "a", port: "y" } }]);
});

test("an edit redraws only the node that changed", () => {
  const before = sceneOf(DOCUMENT, CATALOGUE);
  const after = sceneOf(setInput(DOCUMENT, { node: "sample", port: "steps" }, 30), CATALOGUE, before);
  expect(after.nodes.get("loader")).toBe(before.nodes.get("loader"));
  expect(after.nodes.get("sample")).not.toBe(before.nodes.get("sample"));
  expect(after.links.every((link, index) => link === before.links[index])).toBe(true);
});
