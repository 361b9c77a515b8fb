import { expect, test } from "vitest";

import { join } from "../src/graph/border";
import { copyText, duplicated, paste, pastedDocument } from "../src/graph/clipboard";
import { countUses, definitionsUsed, usableIn } from "../src/graph/definitions";
import { sameDocument, type Document } from "../src/graph/document";
import { removeNodes, setInput } from "../src/graph/edits";
import { group } from "../src/graph/grouping";
import { insert, originOf, packed, unpacked, update } from "../src/graph/library";
import { judge } from "../src/graph/links";
import { outside, ownTypes, typeOf } from "../src/graph/nodetypes";
import { withSubgraphs } from "../src/graph/plan";
import { beginRun, follow, progressOf, runAt } from "../src/graph/run";
import { sceneOf } from "../src/graph/scene";
import { ENTRANCE, EXIT, inside, NEW, putBack } from "../src/graph/scope";
import { moveDeclared, removeInput, renameInput, renameOutput } from "../src/graph/signature";
import { targetOf } from "../src/graph/target";
import { ungroup } from "../src/graph/ungrouping";
import { CATALOGUE, DOCUMENT, KNOWN } from "./knowledge";

function grouped(ids: string[], document: Document = DOCUMENT) {
  const made = group(document, ids, "Draw", KNOWN);
  if (made === null) throw new Error("nothing was grouped");
  return made;
}

function scopeOf(document: Document, name: string): Document {
  const scope = inside(document, name);
  if (scope === null) throw new Error(name);
  return scope;
}

test("what crosses the border of a group becomes its inputs and outputs", () => {
  const { document, id, name } = grouped(["prompt", "sample"]);
  expect(name).toBe("draw");
  expect(document.nodes[id]).toEqual({
    type: "#draw",
    inputs: { encoder: { from: "loader.encoder" }, model: { from: "loader.model" }, prompt: "a circle" },
  });
  expect(document.subgraphs?.draw).toMatchObject({
    title: "Draw",
    inputs: { encoder: { type: "text_encoder" }, model: { type: "model" }, prompt: { type: "text", default: "a circle" } },
    outputs: { latent: { type: "latent", from: "sample.latent" } },
    nodes: {
      prompt: { inputs: { encoder: { input: "encoder" }, text: { input: "prompt" } } },
      sample: { inputs: { model: { input: "model" }, positive: { from: "prompt" }, seed: 7 } },
    },
  });
  expect(document.inputs).toEqual({ prompt: { to: [`${id}.prompt`] } });
  expect(document.outputs).toEqual({ latent: { from: id } });
  expect(Object.keys(document.nodes)).toEqual(["loader", id]);
});

test("a group that is taken apart is what it was", () => {
  for (const ids of [["prompt"], ["sample"], ["prompt", "sample"], ["loader", "prompt", "sample"]]) {
    const { document, id } = grouped(ids);
    const back = ungroup(document, id)?.document;
    if (back === undefined) throw new Error("it stayed");
    const plain = ({ nodes, inputs, outputs }: Document) => ({ nodegraph: 1, nodes, inputs, outputs }) as Document;
    // The one output of a node may be written with its name: it means the same.
    const short = JSON.parse(JSON.stringify(plain(back)).replaceAll("sample.latent", "sample").replaceAll("prompt.conditioning", "prompt")) as Document;
    expect(short).toEqual(plain(DOCUMENT));
    expect(back.subgraphs).toEqual({});
  }
});

test("growing inputs keep their order when some of their sources are grouped", () => {
  const nodes = {
    a: { type: "image.make" },
    b: { type: "image.make" },
    c: { type: "image.make" },
    join: { type: "image.join", inputs: { images: [{ from: "a" }, { from: "b" }, { from: "c" }] } },
  };
  const { document, id } = grouped(["a", "b"], { nodegraph: 1, nodes });
  expect(document.nodes.join?.inputs?.images).toEqual([{ from: `${id}.image` }, { from: `${id}.image_2` }, { from: "c" }]);
});

test("groups nest, and copies bring all definitions along", () => {
  const first = grouped(["sample"]);
  const second = grouped([first.id, "prompt"], first.document);
  expect(definitionsUsed(second.document, [second.document.nodes[second.id] ?? { type: "" }])).toEqual(new Set(["draw_2", "draw"]));
  const copied = pastedDocument(copyText(second.document, [second.id]));
  expect(typeof copied === "string" ? copied : Object.keys(copied.subgraphs ?? {}).sort()).toEqual(["draw", "draw_2"]);
});

test("the inside of a subgraph is a document: edits are put back, and nothing changes unasked", () => {
  const { document, name } = grouped(["prompt", "sample"]);
  const scope = scopeOf(document, name);
  expect(putBack(document, name, scope)).toBe(document);
  const scene = sceneOf(scope, CATALOGUE);
  expect(scene.links.map(({ from, to }) => `${from.node}.${from.port}>${to.node}.${to.port}`)).toEqual([
    "@in.encoder>prompt.encoder",
    "@in.prompt>prompt.text",
    "@in.model>sample.model",
    "prompt.conditioning>sample.positive",
    "sample.latent>@out.latent",
  ]);
  const edited = putBack(document, name, setInput(scope, { node: "sample", port: "steps" }, 4));
  const before = document.subgraphs?.[name];
  expect(edited.subgraphs?.[name]).toEqual({
    ...before,
    nodes: { ...before?.nodes, sample: { type: "sample", inputs: { model: { input: "model" }, positive: { from: "prompt" }, seed: 7, steps: 4 } } },
  });
  // What did not change is the same object: its node is not drawn again.
  const after = sceneOf(scopeOf(edited, name), CATALOGUE, scene);
  expect(after.nodes.get("prompt")).toBe(scene.nodes.get("prompt"));
  expect(after.nodes.get(ENTRANCE)).toBe(scene.nodes.get(ENTRANCE));
  expect(after.nodes.get("sample")).not.toBe(scene.nodes.get("sample"));
});

test("links to the border make inputs and outputs", () => {
  const { document, name } = grouped(["sample"]);
  const scope = scopeOf(document, name);
  const steps = join(scope, { node: ENTRANCE, port: NEW }, { node: "sample", port: "steps" }, KNOWN);
  const made = putBack(document, name, steps).subgraphs?.[name];
  expect(made?.inputs?.steps).toEqual({ type: "int", default: 20 });
  expect(made?.nodes.sample?.inputs?.steps).toEqual({ input: "steps" });
  const seed = putBack(document, name, join(scope, { node: ENTRANCE, port: NEW }, { node: "sample", port: "seed" }, KNOWN));
  expect(seed.subgraphs?.[name]?.inputs?.seed).toEqual({ type: "seed", default: 7 });
  const again = putBack(document, name, join(scope, { node: "sample", port: "latent" }, { node: EXIT, port: NEW }, KNOWN));
  expect(again.subgraphs?.[name]?.outputs).toEqual({
    latent: { type: "latent", from: "sample.latent" },
    latent_2: { type: "latent", from: "sample.latent" },
  });
  expect(judge(scope, { node: ENTRANCE, port: NEW }, { node: EXIT, port: NEW }, KNOWN).ok).toBe(false);
  expect(judge(scope, { node: ENTRANCE, port: "model" }, { node: "sample", port: "positive" }, KNOWN).reason).toBe("model is not conditioning");
});

test("the border stays; an output whose source is gone is kept and says so", () => {
  const { document, name } = grouped(["prompt", "sample"]);
  const scope = scopeOf(document, name);
  expect(removeNodes(scope, [ENTRANCE, EXIT])).toBe(scope);
  const emptied = putBack(document, name, removeNodes(scope, ["sample"]));
  expect(emptied.subgraphs?.[name]?.outputs).toEqual({ latent: { type: "latent", from: "sample.latent" } });
  const unlinked = putBack(document, name, setInput(scope, { node: EXIT, port: "latent" }, undefined));
  expect(unlinked.subgraphs?.[name]?.outputs?.latent?.from).toBe("unlinked");
  expect(scopeOf(unlinked, name).nodes[EXIT]?.inputs).toEqual({});
});

test("the border of a subgraph is never there twice", () => {
  const { document, name } = grouped(["prompt", "sample"]);
  const scope = scopeOf(document, name);
  const { document: copied, ids } = duplicated(scope, [ENTRANCE, "sample", EXIT]);
  expect(ids).toEqual(["sample_2"]);
  expect(copied.nodes.sample_2?.inputs).toEqual(scope.nodes.sample?.inputs);
  expect(duplicated(scope, [ENTRANCE])).toEqual({ document: scope, ids: [], keys: [] });
  expect(paste(scope, scope, null).ids).toEqual(["encode", "sample_2"]);
  expect(Object.keys(putBack(document, name, copied).subgraphs?.[name]?.nodes ?? {})).toEqual(["prompt", "sample", "sample_2"]);
});

test("other names for inputs and outputs reach everybody who uses them", () => {
  const { document, id, name } = grouped(["prompt", "sample"]);
  const input = renameInput(document, name, "prompt", "what");
  expect(input.nodes[id]?.inputs).toMatchObject({ what: "a circle" });
  expect(input.inputs?.prompt?.to).toEqual([`${id}.what`]);
  expect(input.subgraphs?.[name]?.nodes.prompt?.inputs?.text).toEqual({ input: "what" });
  expect(sameDocument(renameInput(input, name, "what", "prompt"), document)).toBe(true);
  const reader = { ...document, nodes: { ...document.nodes, reader: { type: "logic.if", inputs: { then: { from: `${id}.latent` } } } } };
  const output = renameOutput(reader, name, "latent", "drawing");
  expect(output.nodes.reader?.inputs?.then).toEqual({ from: `${id}.drawing` });
  expect(output.outputs?.latent?.from).toBe(`${id}.drawing`);
  expect(renameOutput(reader, name, "latent", null).nodes.reader?.inputs).toEqual({});
  const removed = removeInput(document, name, "prompt");
  expect(removed.nodes[id]?.inputs).not.toHaveProperty("prompt");
  expect(removed.inputs?.prompt?.to).toEqual([]);
  expect(removed.subgraphs?.[name]?.nodes.prompt?.inputs).toEqual({ encoder: { input: "encoder" } });
  expect(Object.keys(moveDeclared(document, name, "inputs", "model", -1).subgraphs?.[name]?.inputs ?? {})).toEqual(["model", "encoder", "prompt"]);
});

test("an input has the widget of what it feeds", () => {
  const { document, name, id } = grouped(["sample"]);
  const scope = scopeOf(document, name);
  const made = putBack(document, name, join(scope, { node: ENTRANCE, port: NEW }, { node: "sample", port: "steps" }, KNOWN));
  const steps = typeOf(made, id, CATALOGUE).inputs.find((input) => input.name === "steps");
  expect(steps?.widget).toEqual({ kind: "number", integer: true, min: 1, max: 100, step: 1 });
});

test("the library keeps a subgraph with what it uses, and gives it to other documents", () => {
  const first = grouped(["sample"]);
  const { document, name } = grouped([first.id, "prompt"], first.document);
  const kept = packed(document, name, "My draw");
  const published = kept && unpacked("subgraph:My draw", 1, kept);
  if (!published) throw new Error("it was not kept");
  expect(Object.keys(published.document.subgraphs ?? {}).sort()).toEqual(["draw", "draw_2"]);
  const other: Document = { nodegraph: 1, nodes: {}, subgraphs: { draw: { nodes: {} } } };
  const brought = insert(other, published);
  expect(brought.name).toBe("my_draw");
  expect(Object.values(brought.document.subgraphs?.my_draw?.nodes ?? {}).map(({ type }) => type).sort()).toEqual(["#draw_2", "encode"]);
  expect(originOf(brought.document.subgraphs?.my_draw)).toEqual({ name: "My draw", revision: 1 });
  expect(insert(brought.document, published)).toEqual({ document: brought.document, name: "my_draw" });
  const newer = update(brought.document, "my_draw", { ...published, revision: 2 });
  expect(originOf(newer.subgraphs?.my_draw)?.revision).toBe(2);
  expect(countUses(newer, "my_draw")).toBe(0);
  const definition = newer.subgraphs?.my_draw;
  expect(definition && outside("my_draw", definition, newer, CATALOGUE).title).toBe("My draw");
});

test("a newer revision of the library takes the place of one definition, and of no other", () => {
  const kept: Document = {
    nodegraph: 1,
    nodes: {},
    subgraphs: { main: { nodes: { one: { type: "#used" }, two: { type: "#drawn" } } }, used: { nodes: {} }, drawn: { nodes: {} } },
  };
  const published = { name: "drawn", revision: 2, document: kept, main: "main" };
  const origin = (revision: number) => ({ nodes: {}, library: { name: "drawn", revision } });
  const subgraphs = {
    drawn: origin(1),
    // The same subgraph again, which is of the newer revision already; and some that have nothing to do with it.
    other: origin(2),
    used: { nodes: {} },
    mine: { nodes: { a: { type: "#other" } } },
  };
  const document: Document = { nodegraph: 1, nodes: { a: { type: "#drawn" }, b: { type: "#other" } }, subgraphs };
  const newer = update(document, "drawn", published);
  const { drawn, drawn_3: inner, ...others } = newer.subgraphs ?? {};
  expect(originOf(drawn)).toEqual({ name: "drawn", revision: 2 });
  expect(drawn?.nodes).toEqual({ one: { type: "#used" }, two: { type: "#drawn_3" } });
  expect(inner).toEqual({ nodes: {} });
  expect(others).toEqual({ other: subgraphs.other, used: subgraphs.used, mine: subgraphs.mine });
  expect(newer.nodes).toBe(document.nodes);
});

test("a node inside is run up to by its path; in the body of a loop, the loop is", () => {
  const first = grouped(["sample"]);
  const { document, name, id } = grouped([first.id, "prompt"], first.document);
  const way = [{ definition: name, node: id }];
  expect(targetOf(document, [], "loader")).toBe("loader");
  expect(targetOf(document, way, "prompt")).toBe(`${id}/prompt`);
  expect(targetOf(document, [...way, { definition: first.name, node: first.id }], "sample")).toBe(`${id}/${first.id}/sample`);
  expect(targetOf(document, way, EXIT)).toBe(id);
  expect(targetOf(document, way, ENTRANCE)).toBeNull();
  expect(targetOf(document, [{ definition: name, node: null }], "prompt")).toBeNull();
  const looped: Document = { ...document, nodes: { ...document.nodes, each: { type: "flow.each", inputs: { body: `#${name}` } } } };
  const body = [{ definition: name, node: "each" }];
  expect(targetOf(looped, body, "prompt")).toBe("each");
  expect(targetOf(looped, [...body, { definition: first.name, node: first.id }], "sample")).toBe("each");
});

test("a subgraph is not offered inside itself, nor inside what it uses", () => {
  const first = grouped(["sample"]);
  const { document, name } = grouped([first.id, "prompt"], first.document);
  const offered = (open: string | null) => ownTypes(document, CATALOGUE, open).map(({ id }) => id);
  expect(offered(null)).toEqual([`#${first.name}`, `#${name}`]);
  expect(offered(name)).toEqual([`#${first.name}`]);
  expect(offered(first.name)).toEqual([]);
  const looped: Document = { nodegraph: 1, nodes: {}, subgraphs: { a: { nodes: { each: { type: "flow.each", inputs: { body: "#b" } } } }, b: { nodes: {} } } };
  expect(usableIn(looped, "a", "b")).toBe(false);
  expect(usableIn(looped, "b", "a")).toBe(true);
});

test("a subgraph does what the nodes inside do", () => {
  const plan = { "draw/prompt": { action: "memory", reason: "kept" }, "draw/sample": { action: "run", reason: "seed" } };
  expect(withSubgraphs(plan).draw).toEqual({ action: "run", reason: "seed" });
  let run = beginRun("job");
  const tell = (event: Record<string, unknown>, seq: number) => {
    run = follow(run, { kind: "", seq, ...event });
  };
  tell({ kind: "planned", to_run: 1, reused: 1 }, 1);
  tell({ kind: "node_finished", node: "draw/prompt", outcome: "memory", seconds: 0 }, 2);
  tell({ kind: "node_started", node: "draw/sample" }, 3);
  tell({ kind: "progress", node: "draw/sample", done: 1, total: 4 }, 3);
  expect(runAt(run, "draw", true)).toMatchObject({ state: "running", done: 1, total: 4 });
  expect(progressOf(run)).toBe(0.625);
  tell({ kind: "node_finished", node: "draw/sample", outcome: "ran", seconds: 2 }, 4);
  expect(runAt(run, "draw", true)).toEqual({ state: "ran", seconds: 2 });
  expect(progressOf(run)).toBe(1);
});

test("iterations of a loop show at the nodes of its body, and count once", () => {
  let run = beginRun("job");
  const events: Record<string, unknown>[] = [
    { kind: "planned", to_run: 1, reused: 0 },
    { kind: "node_started", node: "loop" },
    { kind: "progress", node: "loop", done: 1, total: 2 },
    { kind: "node_finished", node: "loop/0/sample", outcome: "ran", seconds: 1 },
    { kind: "node_started", node: "loop/1/sample" },
  ];
  events.forEach((event, index) => {
    run = follow(run, { kind: "", seq: index + 1, ...event });
  });
  expect(run.nodes["loop/sample"]?.state).toBe("running");
  expect(progressOf(run)).toBe(0.5);
});
