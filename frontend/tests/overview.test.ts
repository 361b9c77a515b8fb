import { expect, test } from "vitest";

import { gapAt, within } from "../src/graph/dots";
import { between, fromMap, mapping, toMap, union } from "../src/graph/overview";

const MAP = { width: 200, height: 150 };
const NODES = { x: -100, y: 50, width: 1_000, height: 500 };

test("the box around boxes, and around none", () => {
  const boxes = [
    { x: 0, y: 0, width: 10, height: 10 },
    { x: -5, y: 4, width: 2, height: 20 },
  ];
  expect(union(boxes)).toEqual({ x: -5, y: 0, width: 15, height: 24 });
  expect(union([])).toBeNull();
});

test("the map shows all of a box in its middle, with an edge around it", () => {
  const { x, y, width, height } = toMap(mapping(NODES, MAP), NODES);
  expect(width).toBeCloseTo(200 * 0.88);
  expect([x + width / 2, y + height / 2]).toEqual([expect.closeTo(100), expect.closeTo(75)]);
  expect(height / width).toBeCloseTo(0.5);
});

test("a point of the map is one of the graph, and back", () => {
  const map = mapping(NODES, MAP);
  const { x, y } = toMap(map, { x: 321, y: 123, width: 0, height: 0 });
  const there = fromMap(map, { x, y });
  expect([there.x, there.y]).toEqual([expect.closeTo(321), expect.closeTo(123)]);
});

test("what is drawn for one map is scaled and moved to where another has it", () => {
  const [one, other] = [mapping(NODES, MAP), mapping({ x: -2_000, y: 0, width: 9_000, height: 4_000 }, MAP)];
  const node = { x: 40, y: 90, width: 272, height: 200 };
  const moved = toMap(between(one, other), toMap(one, node));
  const expected = toMap(other, node);
  for (const side of ["x", "y", "width", "height"] as const) expect(moved[side]).toBeCloseTo(expected[side]);
});

test("dots are as far apart as the zoom says, but never too close; and are found under every move", () => {
  expect(gapAt(1)).toBe(24);
  expect(gapAt(2.5)).toBe(60);
  expect(gapAt(0.25)).toBe(12); // every second dot
  for (const zoom of [0.02, 0.1, 0.3, 0.7]) expect(gapAt(zoom)).toBeGreaterThanOrEqual(10);
  for (const at of [-50, -24, -1, 0, 3, 24, 1_000.5]) {
    expect(within(at, 24)).toBeGreaterThanOrEqual(0);
    expect(within(at, 24)).toBeLessThan(24);
    expect((at - within(at, 24)) % 24).toBeCloseTo(0);
  }
});
