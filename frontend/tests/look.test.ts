/** A look at a value: a copy of the workflow that leaves the workflow as it is. */

import { expect, test } from "vitest";

import type { Document } from "../src/graph/document";
import { group } from "../src/graph/grouping";
import { lookDocument, missingFor, modelOf, opened, withSeedsOf } from "../src/graph/look";
import { bodyLook, loopEntered, toldBy } from "../src/graph/lookbody";
import { DOCUMENT, KNOWN } from "./knowledge";

const LOOKED_AT: Document = {
  ...DOCUMENT,
  nodes: {
    ...DOCUMENT.nodes,
    inspect: { type: "image.make" },
    sample: { type: "sample", inputs: { model: { from: "other.model" }, positive: { from: "prompt" }, seed: "random" } },
    other: { type: "load", inputs: { file: "tiny.safetensors" } },
  },
  inputs: { seed: { to: ["sample.seed"] } },
};

test("a look adds one node under a free name, and is its only output", () => {
  const { document, node } = lookDocument(LOOKED_AT, { node: "sample", port: "latent" }, "other.model");
  expect(node).toBe("inspect_2");
  expect(document.nodes[node]?.inputs).toEqual({ value: { from: "sample.latent" }, model: { from: "other.model" } });
  expect(document.outputs).toEqual({ words: { from: node } });
  expect(document.nodes.sample).toBe(LOOKED_AT.nodes.sample);
  expect(document.name).not.toBe(LOOKED_AT.name);
});

test("a latent is shown by the nearest model upstream, other values by none", () => {
  expect(modelOf(LOOKED_AT, { node: "sample", port: "latent" }, KNOWN)).toBe("other.model");
  expect(modelOf(LOOKED_AT, { node: "inspect", port: "image" }, KNOWN)).toBeNull();
  expect(modelOf(LOOKED_AT, { node: "prompt", port: "conditioning" }, KNOWN)).toBeNull();
});

test("a look takes the seeds that the run drew", () => {
  const seeded = withSeedsOf(LOOKED_AT, { seed: 18446744073709551615n });
  expect(seeded.nodes.sample?.inputs?.seed).toBe(18446744073709551615n);
  expect(withSeedsOf(LOOKED_AT, { seed: "random" })).toBe(LOOKED_AT);
  const fixed = withSeedsOf(seeded, { seed: 5 });
  expect(fixed.nodes.sample?.inputs?.seed).toBe(18446744073709551615n);
});

test("what would have to run is all but the look itself", () => {
  const plan = {
    loader: { action: "memory" }, sample: { action: "run" }, "each/0/x": { action: "run" }, look: { action: "run" },
  };
  expect(missingFor(plan, "look")).toEqual(["sample"]);
});

test("a look inside a subgraph is one at the nodes in its place", () => {
  const inner = group(DOCUMENT, ["sample"], "Draw", KNOWN);
  const outer = inner && group(inner.document, [inner.id, "prompt"], "All", KNOWN);
  if (!inner || !outer) throw new Error("nothing was grouped");
  const port = { node: "sample", port: "latent" };
  const found = opened(outer.document, [outer.id, inner.id], port);
  expect(found?.port).toEqual(port);
  expect(found?.document.nodes.sample?.inputs).toEqual({ model: { from: "loader.model" }, positive: { from: "prompt" }, seed: 7 });
  expect(opened(outer.document, [], port)).toBeNull();
  expect(opened(outer.document, [outer.id, inner.id], { node: "@in", port: "model" })).toBeNull();
  expect(opened(outer.document, ["loader"], port)).toBeNull();
});

const LOOP: Document = {
  nodegraph: 1,
  nodes: { each: { type: "logic.for_each", inputs: { body: "#one", items: [1, 2] } }, fold: { type: "logic.fold", inputs: { body: "#one" } } },
  subgraphs: {
    one: {
      inputs: { item: { type: { type: "int" } } },
      outputs: { result: { type: { type: "image" }, from: "other" } },
      nodes: { made: { type: "image.make", inputs: { width: { input: "item" } } }, other: { type: "image.save", inputs: { image: { from: "made" } } } },
    },
  },
};

test("a look into a body makes the loop give words, and runs nothing beside what is looked at", () => {
  const found = bodyLook(LOOP, "each", { node: "made", port: "image" });
  expect(found?.node).toBe("each");
  expect(found?.document.nodes.each?.inputs).toEqual({ body: "#one_look", items: [1, 2] });
  expect(found?.document.outputs).toEqual({ words: { from: "each" } });
  const body = found?.document.subgraphs?.one_look;
  expect(Object.keys(body?.nodes ?? {})).toEqual(["made", "inspect"]);
  expect(body?.nodes.made?.inputs).toEqual({ width: { input: "item" } });
  expect(body?.outputs).toEqual({ result: { type: "text", from: "inspect" } });
  expect(found?.document.subgraphs?.one).toBe(LOOP.subgraphs?.one);
});

test("what a body is given is looked at like the values in it", () => {
  const found = bodyLook(LOOP, "each", { node: "@in", port: "item" });
  expect(found?.document.subgraphs?.one_look?.nodes).toEqual({ inspect: { type: "value.inspect", inputs: { value: { input: "item" } } } });
});

test("only the body of a loop over items can be looked into, also inside subgraphs", () => {
  expect(loopEntered(LOOP, ["each"])?.loop).toBe("each");
  expect(loopEntered(LOOP, ["fold"])).toBeNull();
  expect(loopEntered(LOOP, [])).toBeNull();
  expect(loopEntered(LOOP, ["each", "made"])).toBeNull();
});

test("a look tells the last iteration, or the one that was chosen", () => {
  const job = { outputs: { words: { value: ["a", "b"] } }, shown: { "each/0/inspect": { url: "/0" }, "each/1/inspect": { url: "/1" } } };
  const body = { node: "each", inspect: "inspect" };
  expect(toldBy(job, body, null)).toEqual({ words: "b", picture: "/1", iteration: { count: 2, number: 1 } });
  expect(toldBy(job, body, 0)).toEqual({ words: "a", picture: "/0", iteration: { count: 2, number: 0 } });
  expect(toldBy({ outputs: { words: { value: [] } }, shown: {} }, body, null).iteration).toEqual({ count: 0, number: 0 });
  expect(toldBy({ outputs: { words: { value: "a" } }, shown: { inspect: { url: "/" } } }, null, null)).toEqual({ words: "a", picture: "/", iteration: null });
});
