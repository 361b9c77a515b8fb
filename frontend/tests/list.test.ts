/** The graph told one node after the other: order, names, search. */

import { expect, test } from "vitest";

import type { Document } from "../src/graph/document";
import { findNodes } from "../src/graph/find";
import { readingOrder } from "../src/graph/order";
import { sceneOf } from "../src/graph/scene";
import { titlesOf } from "../src/graph/titles";
import { CATALOGUE, DOCUMENT } from "./knowledge";

const BORDER = { inputs: "Inputs", outputs: "Outputs" };

test("what a node reads comes before it, wherever it is written", () => {
  const { loader, prompt, sample } = DOCUMENT.nodes;
  const turned = { ...DOCUMENT, nodes: { sample, prompt, loader } } as Document;
  expect(readingOrder(turned)).toEqual(["loader", "prompt", "sample"]);
});

test("sources stand next to their reader, and not at the beginning", () => {
  const nodes = {
    a: { type: "load" },
    far: { type: "encode", inputs: { encoder: { from: "b.encoder" } } },
    b: { type: "load" },
  };
  expect(readingOrder({ nodegraph: 1, nodes })).toEqual(["a", "b", "far"]);
});

test("a circle and a chain of many nodes are told to their end", () => {
  const circle = { a: { type: "t", inputs: { x: { from: "b" } } }, b: { type: "t", inputs: { x: { from: "a" } } } };
  expect(readingOrder({ nodegraph: 1, nodes: circle }).sort()).toEqual(["a", "b"]);
  const links = Array.from({ length: 20_000 }, (_, n) => [`n${n}`, { type: "t", inputs: { x: { from: `n${n + 1}` } } }]);
  const order = readingOrder({ nodegraph: 1, nodes: Object.fromEntries(links) });
  expect([order.length, order[0]]).toEqual([20_000, "n19999"]);
});

test("each link is told after its source, in a graph where nodes are shared", () => {
  const from = (...ids: string[]) => ({ type: "t", inputs: Object.fromEntries(ids.map((id, n) => [`x${n}`, { from: id }])) });
  const nodes = { end: from("left", "right"), left: from("both"), right: from("both", "left"), both: from() };
  const order = readingOrder({ nodegraph: 1, nodes });
  for (const [id, { inputs }] of Object.entries(nodes)) {
    for (const { from: source } of Object.values(inputs)) expect(order.indexOf(source)).toBeLessThan(order.indexOf(id));
  }
});

test("no two nodes are called the same", () => {
  const nodes = { one: { type: "encode" }, two: { type: "encode" }, three: { type: "encode", title: "Prompt" } };
  const titles = titlesOf(sceneOf({ nodegraph: 1, nodes }, CATALOGUE), BORDER);
  expect([...titles.values()]).toEqual(["encode (one)", "encode (two)", "Prompt"]);
});

test("nodes are found by title, type, id and what is written in them", () => {
  const ids = (query: string) => findNodes(DOCUMENT, CATALOGUE, query).map(({ id }) => id);
  expect(ids("")).toHaveLength(3);
  expect(ids("circle")).toEqual(["prompt"]);
  expect(ids("tiny load")).toEqual(["loader"]);
  expect(ids("encode")).toEqual(["prompt"]);
  expect(ids("nothing of that name")).toEqual([]);
});
