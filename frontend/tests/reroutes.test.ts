/** Way points of links: they follow their links through every edit, and change nothing else. */

import { expect, test } from "vitest";

import { duplicated, fragment, paste } from "../src/graph/clipboard";
import { curveThrough, pathOf } from "../src/graph/curve";
import type { Document, Link } from "../src/graph/document";
import { connect, disconnect, moveNodes, removeNodes } from "../src/graph/edits";
import { group } from "../src/graph/grouping";
import { moveMember, removeMember } from "../src/graph/growing";
import { insertPoint, movePoint, pointsOf, removePoint, setPoints, straightened, waysOf } from "../src/graph/reroutes";
import { sceneOf } from "../src/graph/scene";
import { inside } from "../src/graph/scope";
import { renameInput } from "../src/graph/signature";
import { ungroup } from "../src/graph/ungrouping";
import { CATALOGUE, KNOWN } from "./knowledge";

const PLAIN: Document = {
  nodegraph: 1,
  nodes: {
    a: { type: "image.make" },
    b: { type: "image.make" },
    join: { type: "image.join", inputs: { images: [{ from: "a" }, { from: "b" }] } },
  },
  view: { nodes: { a: { x: 0, y: 0 }, b: { x: 0, y: 300 }, join: { x: 600, y: 0 } }, notes: {} },
};
const output = Object.keys(sceneOf(PLAIN, CATALOGUE).nodes.get("a")?.type.outputs ?? {})[0] ?? "";
const FIRST: Link = { from: { node: "a", port: output }, to: { node: "join", port: "images[0]" } };
const SECOND: Link = { from: { node: "b", port: output }, to: { node: "join", port: "images[1]" } };
const LED = setPoints(setPoints(PLAIN, FIRST, [{ x: 300, y: -50.4 }]), SECOND, [{ x: 200, y: 400 }, { x: 400, y: 420 }]);

function led(document: Document): Record<string, unknown> {
  return Object.fromEntries(waysOf(document.view));
}

test("way points stand in the view, in whole pixels, and the scene has them", () => {
  expect(LED.view?.reroutes).toEqual({
    "join.images[0]": { from: `a.${output}`, points: [{ x: 300, y: -50 }] },
    "join.images[1]": { from: `b.${output}`, points: [{ x: 200, y: 400 }, { x: 400, y: 420 }] },
  });
  expect(LED.nodes).toBe(PLAIN.nodes);
  const scene = sceneOf(LED, CATALOGUE);
  expect(scene.links.map(({ points }) => points.length)).toEqual([1, 2]);
  expect(sceneOf({ ...LED }, CATALOGUE, scene).links[0]).toBe(scene.links[0]);
});

test("another goes where it lies nearest; the last one that is removed leaves nothing", () => {
  const ends = [{ x: 100, y: 320 }, { x: 600, y: 60 }] as const;
  const more = insertPoint(LED, SECOND, { x: 300, y: 415 }, ends);
  expect(pointsOf(waysOf(more.view), SECOND).map(({ x }) => x)).toEqual([200, 300, 400]);
  expect(pointsOf(waysOf(insertPoint(LED, SECOND, { x: 580, y: 100 }, ends).view), SECOND)[2]).toEqual({ x: 580, y: 100 });
  expect(pointsOf(waysOf(movePoint(LED, SECOND, 1, { x: 1, y: 2 }).view), SECOND)[1]).toEqual({ x: 1, y: 2 });
  const none = removePoint(removePoint(removePoint(LED, SECOND, 1), SECOND, 0), FIRST, 0);
  expect(none).toEqual(PLAIN);
});

test("what cannot be read as way points is left out; those of another link count for nothing", () => {
  const odd = { ...PLAIN, view: { reroutes: { "join.images[0]": 5, "x.y": { from: "a.image", points: [{ x: "1", y: 2 }] } } } } as Document;
  expect(led(odd)).toEqual({});
  const other = connect(LED, { node: "b", port: output }, FIRST.to, true);
  expect(sceneOf(other, CATALOGUE).links.map(({ points }) => points.length)).toEqual([0, 2]);
});

test("a link that is taken off loses its way points, and its neighbours in the list keep theirs", () => {
  const less = disconnect(LED, [FIRST.to]);
  expect(led(less)).toEqual({ "join.images[0]": { from: `b.${output}`, points: [{ x: 200, y: 400 }, { x: 400, y: 420 }] } });
  expect(sceneOf(less, CATALOGUE).links[0]?.points.length).toBe(2);
  expect(removeMember(LED, FIRST.to).view).toEqual(less.view);
  expect(sceneOf(moveMember(LED, FIRST.to, 1), CATALOGUE).links.map(({ points }) => points.length)).toEqual([2, 1]);
  expect(led(removeNodes(LED, ["a"]))).toEqual(led(less));
  expect(led(removeNodes(LED, ["join"]))).toEqual({});
  expect(led(straightened(LED, new Set(["b"])))).toEqual({ "join.images[0]": { from: `a.${output}`, points: [{ x: 300, y: -50 }] } });
});

test("they move with both ends, and stay where one of them stays", () => {
  const moved = moveNodes(LED, { a: { x: 10, y: -20 }, join: { x: 610, y: -20 } });
  expect(pointsOf(waysOf(moved.view), FIRST)).toEqual([{ x: 310, y: -70 }]);
  expect(pointsOf(waysOf(moved.view), SECOND)).toEqual([{ x: 200, y: 400 }, { x: 400, y: 420 }]);
});

test("copies take them along, beside those of the original", () => {
  const piece = fragment(LED, ["a", "join"]);
  expect(Object.keys(led(piece))).toEqual(["join.images[0]"]);
  const { document, ids } = paste(LED, piece, null);
  expect(ids).toEqual(["make", "join_2"]);
  expect(led(document)).toMatchObject({ "join_2.images[0]": { from: `make.${output}`, points: [{ x: 340, y: -10 }] } });
  expect(Object.keys(led(duplicated(LED, ["a", "b", "join"]).document)).length).toBe(4);
});

test("they go into a subgraph and come out again; another name at its border keeps them", () => {
  const made = group(LED, ["a", "b", "join"], "Some", KNOWN);
  if (made === null) throw new Error("nothing was grouped");
  expect(led(made.document)).toEqual({});
  const scope = inside(made.document, made.name);
  expect(scope && led(scope)).toEqual(led(LED));
  const back = ungroup(made.document, made.id)?.document;
  expect(Object.keys(back ? led(back) : {})).toEqual(Object.keys(led(LED)));

  const one = group(PLAIN, ["join"], "Some", KNOWN);
  if (one === null) throw new Error("nothing was grouped");
  const [input = ""] = Object.keys(one.document.nodes[one.id]?.inputs ?? {});
  const link = { from: FIRST.from, to: { node: one.id, port: input } };
  const renamed = renameInput(setPoints(one.document, link, [{ x: 1, y: 1 }]), one.name, input, "other");
  expect(Object.keys(led(renamed))).toEqual([`${one.id}.other`]);
});

test.each([[["join"]], [["a"]], [["a", "b"]]])("those over the border of a subgraph stay outside, and come back: %j", (ids) => {
  const made = group(LED, ids, "Some", KNOWN);
  if (made === null) throw new Error("nothing was grouped");
  const { links } = sceneOf(made.document, CATALOGUE);
  const crossing = links.filter(({ from, to }) => from.node === made.id || to.node === made.id);
  expect(crossing.length).toBe(ids.includes("a") && !ids.includes("b") ? 1 : 2);
  for (const { points } of links) expect(points.length).toBeGreaterThan(0);
  const scope = inside(made.document, made.name);
  expect(scope && led(scope)).toEqual({});
  const back = ungroup(made.document, made.id)?.document;
  expect(back && led(back)).toEqual(led(LED));
});

test("what was led from another output leads nothing at the border", () => {
  const stale: Document = { ...LED, nodes: { ...LED.nodes, join: { type: "image.join", inputs: { images: [{ from: "b" }, { from: "a" }] } } } };
  const made = group(stale, ["join"], "Some", KNOWN);
  expect(made && led(made.document)).toEqual({});
});

test("the line meets its points, and is level at its ends", () => {
  const points = [{ x: 0, y: 0 }, { x: 100, y: 200 }, { x: 50, y: 300 }, { x: 400, y: 0 }];
  const curve = curveThrough(points);
  expect(curve.map(({ from }) => from)).toEqual(points.slice(0, 3));
  expect(curve.map(({ to }) => to)).toEqual(points.slice(1));
  expect([curve[0]?.a.y, curve[2]?.b.y]).toEqual([0, 0]);
  for (const [index, { b, to }] of curve.slice(0, 2).entries()) {
    const next = curve[index + 1];
    // The directions before and after a way point are one: the line has no corner there.
    const turn = (to.x - b.x) * ((next?.a.y ?? 0) - to.y) - (to.y - b.y) * ((next?.a.x ?? 0) - to.x);
    expect(Math.abs(turn)).toBeLessThan(1e-9);
  }
  expect(pathOf(curve)).toMatch(/^M0,0 C[\d., -]+ C[\d., -]+ C[\d., -]+400,0$/);
});
