/** Widgets from schemas, values of records, colours, and members of growing inputs. */

import { expect, test } from "vitest";

import { readInput } from "../src/graph/catalogue";
import { colourText, parseColour } from "../src/graph/colours";
import type { Document } from "../src/graph/document";
import type { JsonObject } from "../src/graph/json";
import { moveMember, removeMember, renameMember } from "../src/graph/growing";
import { asKind, firstValue, kindOf, optionOf, type Widget } from "../src/graph/widgets";

const CROP: JsonObject = {
  title: "Crop",
  type: "object",
  properties: {
    kind: { const: "crop", default: "crop", type: "string" },
    width: { type: "integer", minimum: 1, default: 64 },
    left: { type: "integer" },
    limit: { anyOf: [{ type: "number" }, { type: "null" }], default: null },
  },
};
const RESIZE: JsonObject = {
  title: "Resize",
  type: "object",
  properties: { kind: { const: "resize", type: "string" }, width: { type: "integer", default: 32 }, smooth: { type: "boolean", default: true } },
};
const MODE: JsonObject = {
  $defs: { Crop: CROP, Resize: RESIZE },
  discriminator: { propertyName: "kind" },
  oneOf: [{ $ref: "#/$defs/Resize" }, { $ref: "#/$defs/Crop" }],
  "x-socket": { type: "variant", options: ["resize", "crop"], discriminator: "kind" },
};

const widgetFor = (schema: JsonObject): Widget => readInput("x", true, schema).widget;

test("a variant offers its kinds, and keeps what two kinds share", () => {
  const widget = widgetFor(MODE);
  if (widget.kind !== "record") throw new Error(widget.kind);
  expect(widget.options.map(({ name, fields }) => [name, fields.map((field) => field.name)])).toEqual([
    ["resize", ["width", "smooth"]],
    ["crop", ["width", "left", "limit"]],
  ]);
  expect(firstValue(widget)).toEqual({ kind: "resize", width: 32, smooth: true });
  const crop = widget.options[1];
  if (crop === undefined) throw new Error();
  expect(asKind({ kind: "resize", width: 99, smooth: false }, crop, "kind")).toEqual({ kind: "crop", width: 99, left: 0 });
  expect(kindOf({ kind: "crop" }, widget.options, "kind")).toBe(crop);
});

test("lists, optional values, unions and colours have fields of their own", () => {
  const float = { type: "float" };
  expect(widgetFor({ type: "array", items: { type: "number", minimum: 0 }, "x-socket": { type: "list", item: float } })).toMatchObject({
    kind: "list",
    item: { kind: "number", min: 0 },
  });
  const optional = { anyOf: [{ type: "number", maximum: 3 }, { type: "null" }], "x-socket": { type: "optional", item: float } };
  expect(widgetFor(optional)).toMatchObject({ kind: "optional", item: { kind: "number", max: 3 } });
  const union = widgetFor({
    anyOf: [{ type: "integer" }, { type: "string" }],
    "x-socket": { type: "union", options: [{ type: "int" }, { type: "text" }] },
  });
  if (union.kind !== "union") throw new Error(union.kind);
  expect([3, "three", 2.5].map((value) => optionOf(value, union.options))).toEqual([0, 1, -1]);
  expect(widgetFor({ type: "string", format: "color", alpha: true, "x-socket": { type: "text" } })).toEqual({ kind: "colour", alpha: true });
  expect(widgetFor({ items: {}, type: "array", "x-socket": { type: "list", item: { type: "generic", name: "T" } } })).toEqual({ kind: "none" });
  const growing = { type: "array", items: { type: "number", "x-socket": float }, "x-growing": "list" };
  expect(readInput("x", false, growing)).toMatchObject({ growing: "list", widget: { kind: "number" } });
});

test("a record that holds itself ends in JSON", () => {
  const tree: JsonObject = { title: "Tree", type: "object", properties: { inner: { $ref: "#/$defs/Tree" } } };
  const widget = widgetFor({ ...tree, $defs: { Tree: tree }, "x-socket": { type: "variant", options: ["Tree"], discriminator: null } });
  expect(widget.kind).toBe("record");
});

test("colours are read as people write them", () => {
  expect(parseColour("#FA0")).toEqual({ rgb: "#ffaa00", alpha: 255 });
  expect(parseColour("11223380")).toEqual({ rgb: "#112233", alpha: 128 });
  expect(parseColour("red")).toBeNull();
  expect(colourText({ rgb: "#112233", alpha: 128 }, true)).toBe("#11223380");
  expect(colourText({ rgb: "#112233", alpha: 128 }, false)).toBe("#112233");
});

const GROWN: Document = {
  nodegraph: 1,
  nodes: { sum: { type: "sum", inputs: { values: [1, { from: "other" }, 3], named: { a: 1, b: 2 } } } },
  inputs: { last: { to: ["sum.values[2]"] }, b: { to: ["sum.named.b"] }, first: { to: ["sum.values[0].width"] } },
};
const inputsOf = (document: Document | null) => document?.nodes.sum?.inputs;

test("members move, and the named inputs that feed them follow", () => {
  const down = moveMember(GROWN, { node: "sum", port: "values[1]" }, 1);
  expect(inputsOf(down)?.values).toEqual([1, 3, { from: "other" }]);
  expect(down.inputs?.last?.to).toEqual(["sum.values[1]"]);
  expect(moveMember(GROWN, { node: "sum", port: "values[2]" }, 1)).toBe(GROWN);
  const named = moveMember(GROWN, { node: "sum", port: "named.b" }, -1);
  expect(Object.keys(inputsOf(named)?.named as object)).toEqual(["b", "a"]);
});

test("a member that is taken out takes its named input along, and those after it move up", () => {
  const less = removeMember(GROWN, { node: "sum", port: "values[0]" });
  expect(inputsOf(less)?.values).toEqual([{ from: "other" }, 3]);
  expect(less.inputs).toEqual({ last: { to: ["sum.values[1]"] }, b: { to: ["sum.named.b"] } });
});

test("a member gets another name in its place, but none that another one has", () => {
  const renamed = renameMember(GROWN, { node: "sum", port: "named.a" }, "first");
  expect(Object.entries(inputsOf(renamed)?.named as object)).toEqual([["first", 1], ["b", 2]]);
  expect(renameMember(GROWN, { node: "sum", port: "named.b" }, "c")?.inputs?.b?.to).toEqual(["sum.named.c"]);
  expect(renameMember(GROWN, { node: "sum", port: "named.a" }, "b")).toBeNull();
  expect(renameMember(GROWN, { node: "sum", port: "named.a" }, "two words")).toBeNull();
});
