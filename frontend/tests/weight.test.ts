/** What a run tells of memory: on nodes, and in the summary. */

import { expect, test } from "vitest";

import { beginRun, follow, runAt } from "../src/graph/run";
import { ranked, weighed } from "../src/graph/weight";

const figures = (outcome: string, seconds: number, size: number, peak = 0) => ({ outcome, seconds, size, peak });
const NODES = [
  ["text", figures("memory", 0, 60_000)],
  ["seed", figures("ran", 0.1, 520)],
  ["sample", figures("ran", 3, 8_000, 3_000_000)],
  ["decode", figures("ran", 1, 200_000, 5_000_000)],
] as const;

test("nodes are ranked by time or by memory: what was reused weighs too, and what is light is left out", () => {
  expect(ranked(NODES, "time").map(([node]) => node)).toEqual(["sample", "decode", "seed"]);
  expect(ranked(NODES, "memory").map(([node]) => node)).toEqual(["decode", "text", "sample"]);
  expect(weighed(NODES)).toEqual({ size: 268_520, peak: 5_000_000 });
});

test("a node tells its bytes after a run, and a subgraph those of all nodes inside", () => {
  const finished = (seq: number, node: string, size: number, peak: number) => ({ kind: "node_finished", seq, node, outcome: "ran", seconds: 1, size, peak }) as const;
  const run = [finished(1, "sub/a", 2_000, 70), finished(2, "sub/b", 3_000, 50)].reduce(follow, beginRun("job"));
  expect(runAt(run, "sub/a", false)).toMatchObject({ size: 2_000, peak: 70 });
  expect(runAt(run, "sub", true)).toMatchObject({ size: 5_000, peak: 70, seconds: 2 });
});

test("events of an earlier version say nothing of memory, and are followed all the same", () => {
  const run = follow(beginRun("job"), { kind: "node_finished", seq: 1, node: "a", outcome: "ran", seconds: 1 });
  expect(runAt(run, "a", false)).toEqual({ own: true, state: "ran", seconds: 1 });
});
