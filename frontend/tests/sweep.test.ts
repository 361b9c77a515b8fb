/** Sweeps: what is written becomes values, and jobs become a sheet. */

import { expect, test } from "vitest";

import { choicesOf, valuesOf, withAxes } from "../src/graph/axes";
import type { Document } from "../src/graph/document";
import { group } from "../src/graph/grouping";
import { advanced, seedModeOf, withDrawnSeeds, withFixedSeeds, withNextSeeds, withRandomSeeds, withSeedMode, withSeedsFrom } from "../src/graph/seeds";
import { runsOf, sheetOf } from "../src/graph/sweep";
import { CATALOGUE, DOCUMENT, KNOWN } from "./knowledge";

const steps = { kind: "number", integer: true, min: 1, max: 100, step: 1 } as const;
const cfg = { kind: "number", integer: false, min: 0, max: 100, step: 0.1 } as const;

test("values are written as ranges, lists and lines", () => {
  expect(valuesOf(steps, "1..4")).toEqual([1, 2, 3, 4]);
  expect(valuesOf(steps, "10..2..4, 30")).toEqual([10, 6, 2, 30]);
  expect(valuesOf(cfg, "4, 7.5")).toEqual([4, 7.5]);
  expect(valuesOf({ kind: "seed" }, "18446744073709551614..18446744073709551615")).toEqual([
    18446744073709551614n, 18446744073709551615n,
  ]);
  expect(valuesOf({ kind: "text", multiline: true }, "a cat, sitting\n\na dog")).toEqual(["a cat, sitting", "a dog"]);
  expect(valuesOf({ kind: "toggle" }, "yes, false")).toEqual([true, false]);
  expect(valuesOf({ kind: "menu", options: ["a", 2] }, "2, a")).toEqual([2, "a"]);
});

test("what is no value is told in a sentence", () => {
  expect(valuesOf(steps, " , ")).toContain("at least one");
  expect(valuesOf(steps, "2, many")).toBe("“many” is no number.");
  expect(valuesOf(steps, "2.5")).toContain("whole number");
  expect(valuesOf(steps, "1..5..0")).toContain("steps of 0");
  expect(valuesOf(steps, "1..100000000000000000000")).toContain("more than");
  expect(valuesOf({ kind: "menu", options: ["a"] }, "b")).toContain("none of a");
});

test("named inputs and written ones can be varied, linked ones cannot", () => {
  const choices = choicesOf(DOCUMENT, CATALOGUE);
  expect(choices.map(({ id }) => id)).toEqual(["name prompt", "loader.file", "sample.seed", "sample.steps", "sample.cfg"]);
  const chosen = choices.filter(({ id }) => id === "name prompt" || id === "sample.cfg");
  const { document, names } = withAxes(DOCUMENT, chosen);
  expect(names).toEqual(["prompt", "cfg"]);
  expect(document.inputs).toEqual({ prompt: { to: ["prompt.text"] }, cfg: { to: ["sample.cfg"] } });
  expect(document.nodes).toBe(DOCUMENT.nodes);
});

test("the number of runs is told before they run", () => {
  expect(runsOf([3, 4], "grid")).toBe(12);
  expect(runsOf([3, 3], "zip")).toBe(3);
  expect(runsOf([3, 4], "zip")).toBeNull();
  expect(runsOf([], "grid")).toBe(0);
});

const jobs = (...inputs: Record<string, unknown>[]) => inputs.map((one) => ({ inputs: { prompt: "same", ...one } }));

test("jobs of a grid are a table, its last axis in columns", () => {
  const sheet = sheetOf(jobs({ cfg: 4, steps: 1 }, { cfg: 4, steps: 2 }, { cfg: 4, steps: 3 }, { cfg: 7, steps: 1 }, { cfg: 7, steps: 2 }, { cfg: 7, steps: 3 }));
  expect(sheet.names).toEqual(["cfg", "steps"]);
  expect(sheet.columns).toEqual(["steps 1", "steps 2", "steps 3"]);
  expect(sheet.rows.map(({ label, cells }) => [label, cells.length])).toEqual([["cfg 4", 3], ["cfg 7", 3]]);
  // The order in which a job tells its inputs is another one when it is over.
  const over = sheetOf(jobs({ steps: 1, cfg: 4 }, { steps: 2, cfg: 4 }, { steps: 1, cfg: 7 }, { steps: 2, cfg: 7 }));
  expect(over.columns).toEqual(["steps 1", "steps 2"]);
});

test("other jobs stand one after the other, each with its label", () => {
  const sheet = sheetOf(jobs({ seed: 1, cfg: 4 }, { seed: 2, cfg: 7 }, { seed: 3, cfg: 9 }), 2);
  expect(sheet.columns).toEqual([]);
  expect(sheet.rows.map(({ cells }) => cells.map(({ label }) => label))).toEqual([
    ["seed 1, cfg 4", "seed 2, cfg 7"], ["seed 3, cfg 9"],
  ]);
});

test("seeds are drawn, fixed and counted on", () => {
  const random = withRandomSeeds(DOCUMENT, CATALOGUE);
  expect(random.nodes.sample?.inputs?.seed).toBe("random");
  expect(withFixedSeeds(random, CATALOGUE, 5).nodes.sample?.inputs?.seed).toBe(5);
  expect(withFixedSeeds(DOCUMENT, CATALOGUE, 5)).toBe(DOCUMENT);
  expect(withNextSeeds(DOCUMENT, CATALOGUE, 2).nodes.sample?.inputs?.seed).toBe(9);
  expect(withNextSeeds(random, CATALOGUE, 2)).toBe(random);
  const largest: Document = { nodegraph: 1, nodes: { sample: { type: "sample", inputs: { seed: 2n ** 64n - 1n } } } };
  expect(withNextSeeds(largest, CATALOGUE, 1).nodes.sample?.inputs?.seed).toBe(0);
});

test("seeds inside subgraphs are drawn, fixed and counted on too", () => {
  const inner = group(DOCUMENT, ["sample"], "Inner", KNOWN);
  const outer = inner && group(inner.document, [inner.id, "prompt"], "Outer", KNOWN);
  if (!outer) throw new Error("nothing was grouped");
  const seedIn = (document: Document) => document.subgraphs?.inner?.nodes.sample?.inputs?.seed;
  const random = withRandomSeeds(outer.document, CATALOGUE);
  expect(seedIn(random)).toBe("random");
  expect(seedIn(withFixedSeeds(random, CATALOGUE, 5))).toBe(5);
  expect(seedIn(withNextSeeds(outer.document, CATALOGUE, 2))).toBe(9);
  expect(random.subgraphs?.outer).toBe(outer.document.subgraphs?.outer);
  // An input of a subgraph that is a seed, left to its default.
  const subgraphs = { drawn: { inputs: { seed: { type: "seed", default: "random" } }, nodes: {} } };
  const left: Document = { nodegraph: 1, nodes: { call: { type: "#drawn" } }, subgraphs };
  expect(withFixedSeeds(left, CATALOGUE, 5).nodes.call?.inputs).toEqual({ seed: 5 });
});

test("a seed that goes on is one further after a run, and keeps that in the view", () => {
  const place = { node: "sample", port: "seed" };
  const next = withSeedMode(DOCUMENT, place, "next", 99);
  expect(next.nodes).toBe(DOCUMENT.nodes);
  expect(seedModeOf(next, place)).toBe("next");
  expect(advanced(next, CATALOGUE, 2).nodes.sample?.inputs?.seed).toBe(9);
  expect(advanced(DOCUMENT, CATALOGUE, 2)).toBe(DOCUMENT);
  const random = withSeedMode(next, place, "random", 99);
  expect(seedModeOf(random, place)).toBe("random");
  expect(random.view).toEqual(DOCUMENT.view ?? {});
  expect(withSeedMode(random, place, "fixed", 99).nodes.sample?.inputs?.seed).toBe(99);
});

test("seeds that no named input tells are drawn before they are sent, inside subgraphs too", () => {
  const inner = { nodes: { sample: { type: "sample", inputs: { seed: "random" } } } };
  const written: Document = { nodegraph: 1, nodes: { one: { type: "sample", inputs: { seed: "random" } } }, subgraphs: { inner } };
  let drawn = 0;
  const sent = withDrawnSeeds(written, CATALOGUE, () => (drawn += 1));
  expect([sent.nodes.one?.inputs?.seed, sent.subgraphs?.inner?.nodes.sample?.inputs?.seed]).toEqual([1, 2]);
  expect(withSeedsFrom(written, sent, CATALOGUE)).toEqual(sent);
  const named = { ...written, inputs: { seed: { to: ["one.seed"] } } };
  expect(withDrawnSeeds(named, CATALOGUE, () => 5).nodes.one?.inputs?.seed).toBe("random");
});
