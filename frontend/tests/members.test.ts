/** Named inputs that feed members of growing inputs and fields of records outlive what is done with their nodes. */

import { expect, test } from "vitest";

import { duplicated } from "../src/graph/clipboard";
import type { Document } from "../src/graph/document";
import { disconnect, removeNodes, setInput } from "../src/graph/edits";
import { group } from "../src/graph/grouping";
import { inputAt, withInputs } from "../src/graph/interface";
import type { Json } from "../src/graph/json";
import { stepsOf, valueAt, withValueAt } from "../src/graph/members";
import { typeOf } from "../src/graph/nodetypes";
import { ungroup } from "../src/graph/ungrouping";
import { CATALOGUE, KNOWN } from "./knowledge";

const MEMBERS: Document = {
  nodegraph: 1,
  nodes: {
    a: { type: "image.make" },
    b: { type: "image.make" },
    join: { type: "image.join", inputs: { images: [{ from: "a" }, { from: "b" }] } },
    sum: { type: "math.calculate", inputs: { values: { x: 1, y: 2 } } },
    fit: { type: "fit", inputs: { mode: { kind: "resize", width: 5 }, modes: [{ kind: "resize", width: 7 }] } },
  },
  inputs: {
    second: { to: ["join.images[1]"] },
    y: { to: ["sum.values.y"] },
    width: { to: ["fit.mode.width"] },
  },
};

function regrouped(document: Document, ids: string[]) {
  const made = group(document, ids, "Some", KNOWN);
  if (made === null) throw new Error("nothing was grouped");
  return { ...made, definition: made.document.subgraphs?.[made.name] };
}

test("a port names an input, a member, or a member of a member", () => {
  expect(stepsOf("images[10]")).toEqual({ name: "images", steps: [10] });
  expect(stepsOf("modes[1].width")).toEqual({ name: "modes", steps: [1, "width"] });
  const entry = { type: "fit", inputs: { modes: [{ width: 1 }, { value: { width: 2, value: 3 } }] as Json } };
  expect(valueAt(entry, "modes[1].width")).toBe(2);
  expect(withValueAt(entry, "modes[1].width", 9).inputs?.modes).toEqual([{ width: 1 }, { value: { width: 9, value: 3 } }]);
  expect(valueAt({ type: "fit", inputs: { mode: { from: "a" } } }, "mode.from")).toBeUndefined();
});

test("named inputs are handed through a group to members and fields", () => {
  const { document, id, definition } = regrouped(MEMBERS, ["join", "sum", "fit"]);
  expect(document.inputs).toEqual({ second: { to: [`${id}.second`] }, y: { to: [`${id}.y`] }, width: { to: [`${id}.width`] } });
  expect(document.nodes[id]?.inputs).toEqual({ images: { from: "a" }, second: { from: "b" }, y: 2, width: 5 });
  expect(definition?.inputs).toEqual({ images: { type: "image" }, second: { type: "image" }, y: { type: "float" }, width: { type: "float" } });
  expect(definition?.nodes).toEqual({
    join: { type: "image.join", inputs: { images: [{ input: "images" }, { input: "second" }] } },
    sum: { type: "math.calculate", inputs: { values: { x: 1, y: { input: "y" } } } },
    fit: { type: "fit", inputs: { mode: { kind: "resize", width: { input: "width" } }, modes: [{ kind: "resize", width: 7 }] } },
  });
});

test("taken apart again, members and fields are fed as before", () => {
  const { document, id } = regrouped(MEMBERS, ["join", "sum", "fit"]);
  const back = ungroup(document, id)?.document;
  expect(back?.nodes).toEqual(MEMBERS.nodes);
  expect(back?.inputs).toEqual(MEMBERS.inputs);
});

test("places of one named input that hold different values keep them in a group", () => {
  const two = { ...MEMBERS, inputs: { both: { to: ["sum.values.x", "sum.values.y"] } } };
  const { document, id, definition } = regrouped(two, ["sum"]);
  expect(document.inputs).toEqual({ both: { to: [`${id}.both`, `${id}.both_2`] } });
  expect(document.nodes[id]?.inputs).toEqual({ both: 1, both_2: 2 });
  expect(definition?.nodes.sum?.inputs?.values).toEqual({ x: { input: "both" }, y: { input: "both_2" } });
  expect(ungroup(document, id)?.document.inputs).toEqual(two.inputs);
});

test("a named input whose place lies too deep for a group is told, and its value kept", () => {
  const deep = { ...MEMBERS, inputs: { ...MEMBERS.inputs, deep: { to: ["fit.modes[0].width"] } } };
  const { definition, unfed, document } = regrouped(deep, ["fit"]);
  expect(unfed).toEqual(["deep"]);
  expect(definition?.nodes.fit?.inputs?.modes).toEqual([{ kind: "resize", width: 7 }]);
  expect(document.inputs?.deep).toBeUndefined();
  expect(regrouped(deep, ["sum"]).unfed).toEqual([]);
});

test("a copy leaves the named inputs to what was copied", () => {
  const { document, ids } = duplicated(MEMBERS, ["join", "sum"]);
  expect(document.inputs).toEqual(MEMBERS.inputs);
  expect(ids.map((id) => document.nodes[id]?.inputs)).toEqual([MEMBERS.nodes.join?.inputs, MEMBERS.nodes.sum?.inputs]);
});

test("values are set deep in records, also those that a run was given", () => {
  const set = setInput(MEMBERS, { node: "fit", port: "modes[0].width" }, 8);
  expect(set.nodes.fit?.inputs?.modes).toEqual([{ kind: "resize", width: 8 }]);
  const given = withInputs(MEMBERS as unknown as Json, { y: 4, width: 6 }) as unknown as Document;
  expect(given.nodes.sum?.inputs?.values).toEqual({ x: 1, y: 4 });
  expect(given.nodes.fit?.inputs?.mode).toEqual({ kind: "resize", width: 6 });
});

test("when a value leaves a list, those behind it are fed where they are then", () => {
  const first = removeNodes(MEMBERS, ["a"]);
  expect(first.nodes.join?.inputs).toEqual({ images: [{ from: "b" }] });
  expect(first.inputs?.second).toEqual({ to: ["join.images[0]"] });
  const second = disconnect(MEMBERS, [{ node: "join", port: "images[1]" }]);
  expect(Object.keys(second.inputs ?? {})).toEqual(["y", "width"]);
});

test("a form has a field for a member", () => {
  const type = typeOf(MEMBERS, "sum", CATALOGUE);
  expect(inputAt(type, "values.y")).toMatchObject({ growing: null, widget: { kind: "number" } });
  expect(inputAt(type, "values")).toMatchObject({ growing: "named" });
});
