/** Edits that end later than they began: they belong to the workflow that was shown then. */

import { beforeEach, expect, test } from "vitest";

import type { Document } from "../src/graph/document";
import { setInput } from "../src/graph/edits";
import { shownNow, tabOf, useWorkspace } from "../src/store/workspace";

const { open, activate, edit, editAll, enter, undo } = useWorkspace.getState();

function loading(file: string): Document {
  return { nodegraph: 1, nodes: { load: { type: "image.load", inputs: { file } } } };
}

function documentOf(tab: string): Document | undefined {
  return tabOf(tab)?.history.present;
}

beforeEach(() => {
  useWorkspace.getState().restore([], "home");
});

test("an upload that ends in another tab is set where it began, and undone there", () => {
  const first = open(loading("a.png"));
  const shown = shownNow();
  const second = open(loading("b.png"));
  edit((document) => setInput(document, { node: "load", port: "file" }, "new.png"), undefined, shown);
  expect(documentOf(first)).toEqual(loading("new.png"));
  expect(documentOf(second)).toEqual(loading("b.png"));
  undo();
  expect(documentOf(first)).toEqual(loading("new.png"));
  activate(first);
  undo();
  expect(documentOf(first)).toEqual(loading("a.png"));
});

test("an edit of the whole document is that of the tab it names", () => {
  const first = open(loading("a.png"));
  const second = open(loading("b.png"));
  editAll((document) => ({ ...document, name: "saved" }), undefined, first);
  expect(documentOf(first)?.name).toBe("saved");
  expect(documentOf(second)?.name).toBeUndefined();
});

test("an upload that ends outside of the subgraph where it began is set inside of it", () => {
  const inner = { inputs: {}, outputs: {}, nodes: { load: { type: "image.load", inputs: { file: "in.png" } } } };
  const outer = { ...loading("out.png"), subgraphs: { part: inner } };
  const tab = open(outer);
  enter([{ node: null, definition: "part" }]);
  const shown = shownNow();
  enter([]);
  edit((document) => setInput(document, { node: "load", port: "file" }, "new.png"), undefined, shown);
  expect(documentOf(tab)?.nodes).toEqual(outer.nodes);
  expect(documentOf(tab)?.subgraphs?.part?.nodes.load?.inputs).toEqual({ file: "new.png" });
});

test("an edit of a workflow that was closed meanwhile is nobody's", () => {
  const first = open(loading("a.png"));
  const shown = shownNow();
  const second = open(loading("b.png"));
  useWorkspace.getState().close(first);
  edit((document) => setInput(document, { node: "load", port: "file" }, "new.png"), undefined, shown);
  expect(documentOf(second)).toEqual(loading("b.png"));
  expect(tabOf(first)).toBeUndefined();
});
