import { expect, test } from "vitest";

import { layout } from "../src/graph/layout";
import { linksOf } from "../src/graph/links";
import { clamped, parseNumber, parseSeed, randomSeed } from "../src/graph/numbers";
import { beginRun, follow, progressOf, type RunEvent } from "../src/graph/run";
import { findTypes, fittingTypes } from "../src/graph/search";
import { widgetOf } from "../src/graph/widgets";
import { readType } from "../src/graph/sockets";
import { CATALOGUE, DOCUMENT } from "./knowledge";

test("widgets come from the schema", () => {
  const sample = CATALOGUE.get("sample");
  const kinds = Object.fromEntries(sample?.inputs.map(({ name, widget }) => [name, widget.kind]) ?? []);
  expect(kinds).toEqual({ model: "none", positive: "none", seed: "seed", steps: "number", cfg: "number" });
  expect(widgetOf(readType({ type: "optional", item: { type: "bool" } }), {})).toEqual({
    kind: "menu",
    options: [null, true, false],
  });
  expect(widgetOf(readType({ type: "text" }), { multiline: true })).toEqual({ kind: "text", multiline: true });
});

test("search is fuzzy, over several words and help", () => {
  const ids = (query: string) => findTypes(CATALOGUE.values(), query).map(({ id }) => id);
  expect(ids("samp")[0]).toBe("sample");
  expect(ids("join image")[0]).toBe("image.join");
  expect(ids("imjn")).toContain("image.join");
  expect(ids("help of encode")).toContain("encode");
  expect(ids("zebra")).toEqual([]);
});

test("only types that fit a dropped link are offered", () => {
  const ids = (end: "output" | "input", type: string) =>
    fittingTypes(CATALOGUE.values(), { end, type: readType(type) }, {}).map(({ id }) => id);
  expect(ids("output", "conditioning")).toEqual(["sample", "logic.if"]);
  expect(ids("input", "text_encoder")).toEqual(["load", "logic.if"]);
});

test("the layout leads to the right, and no two nodes overlap", () => {
  const sizes = new Map(Object.keys(DOCUMENT.nodes).map((id) => [id, { width: 272, height: 180 }]));
  const places = layout(sizes, linksOf(DOCUMENT, CATALOGUE));
  const left = (id: string) => places[id]?.x ?? NaN;
  expect(left("loader") + 272).toBeLessThan(left("prompt"));
  expect(left("prompt") + 272).toBeLessThan(left("sample"));
});

test.each([
  ["a chain", 1_000, (index: number) => [index - 1]],
  ["a tree", 1_000, (index: number) => [Math.floor((index - 1) / 3)]],
  ["many small ones", 1_000, (index: number) => (index % 7 === 0 ? [] : [index - 1])],
  ["a mesh", 600, (index: number) => [index - 1, Math.floor(index / 2), Math.floor(index / 5)]],
  ["a circle", 300, (index: number) => [(index + 299) % 300]],
])("large graphs are laid out without overlaps: %s", (name, count, sources) => {
  const ids = Array.from({ length: count }, (_, index) => `n${index}`);
  const sizes = new Map(ids.map((id, index) => [id, { width: 272, height: 100 + (index % 5) * 40 }]));
  const links = ids.flatMap((id, index) =>
    (index === 0 && name !== "a circle" ? [] : sources(index)).map((source) => ({ from: { node: `n${source}`, port: "" }, to: { node: id, port: "" } })),
  );
  const places = layout(sizes, links);
  const boxes = ids.map((id) => ({ ...(sizes.get(id) ?? { width: 0, height: 0 }), ...(places[id] ?? { x: NaN, y: NaN }) }));
  boxes.sort((a, b) => a.x - b.x || a.y - b.y);
  boxes.forEach((a, index) => {
    expect(Number.isFinite(a.x + a.y)).toBe(true);
    for (let next = index + 1; next < boxes.length; next += 1) {
      const b = boxes[next];
      if (b === undefined || b.x >= a.x + a.width) break;
      expect(b.y >= a.y + a.height || a.y >= b.y + b.height).toBe(true);
    }
  });
  if (name === "a circle") return;
  for (const { from, to } of links) {
    if (from.node !== to.node) expect(places[from.node]?.x).toBeLessThan(places[to.node]?.x ?? 0);
  }
});

test("numbers are read as people write them, and kept in range", () => {
  expect(parseNumber("1,5")).toBe(1.5);
  expect(parseNumber("-2e3")).toBe(-2000);
  expect(parseNumber("three")).toBeNull();
  expect(clamped(7.6, { integer: true, min: 0, max: 7, step: 1 })).toBe(7);
  expect(clamped(130, { integer: true, min: 16, max: 512, step: 8 })).toBe(128);
  expect(clamped(0.1 + 0.2, { integer: false, min: 0, max: 1, step: 0.01 })).toBe(0.3);
});

test("seeds are exact to the last digit", () => {
  expect(parseSeed("18446744073709551615")).toBe(18446744073709551615n);
  expect(parseSeed("18446744073709551616")).toBeNull();
  expect(parseSeed("7")).toBe(7);
  expect(randomSeed(new BigUint64Array([18446744073709551615n]))).toBe(18446744073709551615n);
});

test("events tell a run, and telling one twice changes nothing", () => {
  const events: RunEvent[] = [
    { kind: "planned", seq: 1, to_run: 3, reused: 1 },
    { kind: "node_finished", seq: 2, node: "loader", outcome: "memory" },
    { kind: "node_started", seq: 3, node: "sample" },
    { kind: "progress", seq: 3, node: "sample", done: 5, total: 10 },
    { kind: "preview", seq: 3, node: "sample", image: "blob:1" },
  ];
  const half = events.reduce(follow, beginRun("job"));
  expect(half.nodes.sample).toMatchObject({ state: "running", done: 5, total: 10, preview: "blob:1" });
  expect(progressOf(half)).toBeCloseTo(1.5 / 4);
  const rest: RunEvent[] = [
    { kind: "node_finished", seq: 4, node: "sample", outcome: "ran", seconds: 2 },
    { kind: "saved", seq: 5, node: "save", path: "a.png", media_type: "image/png" },
    { kind: "progress", seq: 5, node: "sample", done: 10, total: 10 },
  ];
  const whole = rest.reduce(follow, half);
  expect(whole.nodes.sample).toMatchObject({ state: "ran", seconds: 2, preview: "blob:1" });
  expect([...events, ...rest].reduce(follow, whole)).toEqual(whole);
});
