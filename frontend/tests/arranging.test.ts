import { expect, test } from "vitest";

import { aligned } from "../src/graph/align";
import { collapsedIn, toggleCollapsed } from "../src/graph/collapse";
import { estimate } from "../src/graph/estimate";
import { sceneOf } from "../src/graph/scene";
import { CATALOGUE, DOCUMENT } from "./knowledge";

const BOXES = {
  a: { x: 0, y: 0, width: 100, height: 40 },
  b: { x: 150, y: 30, width: 50, height: 60 },
  c: { x: 400, y: 10, width: 100, height: 20 },
};

test("edges and middles are those of all that is aligned", () => {
  expect(aligned(BOXES, "left")).toEqual({ a: { x: 0, y: 0 }, b: { x: 0, y: 30 }, c: { x: 0, y: 10 } });
  expect(aligned(BOXES, "right")).toEqual({ a: { x: 400, y: 0 }, b: { x: 450, y: 30 }, c: { x: 400, y: 10 } });
  expect(aligned(BOXES, "bottom")).toEqual({ a: { x: 0, y: 50 }, b: { x: 150, y: 30 }, c: { x: 400, y: 70 } });
  expect(aligned(BOXES, "middle").a).toEqual({ x: 0, y: 25 });
  expect(aligned(BOXES, "centre").b).toEqual({ x: 225, y: 30 });
  expect(aligned({ a: BOXES.a }, "left")).toEqual({});
});

test("equal gaps leave the first and the last where they are", () => {
  // 500 wide, of which 250 are nodes: two gaps of 125.
  expect(aligned(BOXES, "across")).toEqual({ a: { x: 0, y: 0 }, b: { x: 225, y: 30 }, c: { x: 400, y: 10 } });
  // From 0 to 90 there are 120 of nodes: they overlap by 15 each.
  const down = aligned(BOXES, "down");
  expect([down.a?.y, down.c?.y, down.b?.y]).toEqual([0, 25, 30]);
  expect(aligned({ a: BOXES.a, b: BOXES.b }, "across")).toEqual({});
});

test("collapsing stands in the view alone, and is taken back by doing it again", () => {
  const closed = toggleCollapsed(DOCUMENT, ["sample", "nobody"]);
  expect(closed.nodes).toBe(DOCUMENT.nodes);
  expect([...collapsedIn(closed)]).toEqual(["sample"]);
  const both = toggleCollapsed(closed, ["sample", "prompt"]);
  expect([...collapsedIn(both)]).toEqual(["sample", "prompt"]);
  expect(toggleCollapsed(both, ["sample", "prompt"])).toEqual(DOCUMENT);
  expect(toggleCollapsed(DOCUMENT, [])).toBe(DOCUMENT);
});

test("a scene redraws only the node that was collapsed, which is as high as its head", () => {
  const before = sceneOf(DOCUMENT, CATALOGUE);
  const after = sceneOf(toggleCollapsed(DOCUMENT, ["sample"]), CATALOGUE, before);
  expect(after.nodes.get("prompt")).toBe(before.nodes.get("prompt"));
  const [open, closed] = [before.nodes.get("sample"), after.nodes.get("sample")];
  if (!open || !closed) throw new Error("the sampler is missing");
  expect(estimate(closed).height).toBeLessThan(estimate(open).height / 3);
});
