/** Groups and notes with nodes: copied, moved, and as chapters of the list. */

import { expect, test } from "vitest";

import { annotationsOf } from "../src/graph/annotations";
import { chaptersOf } from "../src/graph/chapters";
import { copyText, duplicated, paste, pastedDocument } from "../src/graph/clipboard";
import { positionOf, type Document } from "../src/graph/document";
import { companions, contents, framesWithin, groupsOfNodes, moveFrames, removeFrames } from "../src/graph/frames";
import { DOCUMENT } from "./knowledge";

const frame = (x: number, width: number, more = {}) => ({ text: "", x, y: -60, width, height: 300, colour: "blue", ...more });
const FRAMED: Document = {
  ...DOCUMENT,
  view: {
    ...DOCUMENT.view,
    groups: { "1": frame(-20, 620, { text: "Prompt", later: [1] }), "4": frame(280, 300, { text: "Inner" }), "5": frame(2_000, 300) },
    notes: { "1": frame(60, 100, { text: "inside", height: 60 }), "2": frame(1_500, 100, { text: "outside", height: 60 }) },
  },
};
const BOXES = new Map(["loader", "prompt", "sample"].map((id) => [id, { ...(positionOf(FRAMED, id) ?? { x: 0, y: 0 }), width: 272, height: 120 }]));

test("a copy takes along groups all of whose nodes are copied, notes in them, and what is selected", () => {
  expect(companions(FRAMED, ["loader", "prompt"], [], BOXES)).toEqual(["groups.1", "groups.4", "notes.1"]);
  expect(companions(FRAMED, ["prompt", "sample"], [], BOXES)).toEqual(["groups.4"]);
  expect(companions(FRAMED, [], ["notes.2", "groups.5"], BOXES)).toEqual(["notes.2", "groups.5"]);
});

test("pasted groups lie around the pasted nodes as they did, with all that is written of them", () => {
  const piece = pastedDocument(copyText(FRAMED, ["loader", "prompt"], ["groups.1", "notes.1"]));
  if (typeof piece === "string") throw new Error(piece);
  expect(piece.view).not.toHaveProperty("groups.4");
  const { document, ids, keys } = paste(FRAMED, piece, { x: 1_000, y: 500 });
  expect([ids, keys]).toEqual([["load", "encode"], ["groups.2", "notes.3"]]);
  // The frame is what lies furthest to the left and to the top.
  expect(document.view?.groups).toMatchObject({ "2": { text: "Prompt", x: 1_000, y: 500, width: 620, later: [1] } });
  expect(positionOf(document, "load")).toEqual({ x: 1_020, y: 560 });
  expect(annotationsOf(document, "notes").get("3")).toMatchObject({ x: 1_080, y: 500, text: "inside" });
  expect(document.view?.groups).toMatchObject(FRAMED.view?.groups as object);
});

test("notes are copied without any node, and a paste of nothing changes nothing", () => {
  const { document, ids, keys } = duplicated(FRAMED, [], ["notes.2"]);
  expect([ids, keys]).toEqual([[], ["notes.3"]]);
  expect(annotationsOf(document, "notes").get("3")).toMatchObject({ x: 1_540, y: -20 });
  expect(document.nodes).toEqual(FRAMED.nodes);
  expect(paste(FRAMED, { nodegraph: 1, nodes: {} }, { x: 5, y: 5 })).toEqual({ document: FRAMED, ids: [], keys: [] });
});

test("groups move with the nodes and notes in them, and are removed without", () => {
  expect(contents(FRAMED, ["groups.4"], BOXES)).toEqual({ nodes: ["prompt"], frames: ["groups.4"] });
  expect(contents(FRAMED, ["groups.1"], BOXES)).toEqual({ nodes: ["loader", "prompt"], frames: ["groups.1", "notes.1"] });
  const moved = moveFrames(FRAMED, { "notes.1": { x: 60, y: -60 }, "groups.gone": { x: 0, y: 0 } }, { x: 4.6, y: -1 });
  expect(annotationsOf(moved, "notes").get("1")).toMatchObject({ x: 65, y: -61 });
  const removed = removeFrames(FRAMED, ["groups.1", "notes.2"]);
  expect([...annotationsOf(removed, "groups").keys(), ...annotationsOf(removed, "notes").keys()]).toEqual(["4", "5", "1"]);
  expect(removed.nodes).toBe(FRAMED.nodes);
});

test("a rectangle takes what lies in it with all that it is", () => {
  expect(framesWithin(FRAMED, { x: 250, y: -100, width: 400, height: 400 })).toEqual(["groups.4"]);
  expect(framesWithin(FRAMED, { x: 300, y: -100, width: 400, height: 400 })).toEqual([]);
});

test("a node belongs to the smallest group around it", () => {
  expect(groupsOfNodes(FRAMED, BOXES)).toEqual(new Map([["loader", "1"], ["prompt", "4"]]));
});

test("the nodes of a group stand together, after those that they read", () => {
  expect(chaptersOf(DOCUMENT, new Map())).toEqual([{ group: null, nodes: ["loader", "prompt", "sample"] }]);
  const ends = chaptersOf(DOCUMENT, new Map([["sample", "1"]]));
  expect(ends).toEqual([{ group: null, nodes: ["loader", "prompt"] }, { group: "1", nodes: ["sample"] }]);
  // They read each other: the group stands where its first node does.
  const circle = chaptersOf(DOCUMENT, new Map([["loader", "1"], ["sample", "1"]]));
  expect(circle.map(({ group }) => group).sort()).toEqual(["1", null]);
  expect(circle.flatMap(({ nodes }) => nodes).sort()).toEqual(["loader", "prompt", "sample"]);
});

test("a group waits for what any of its nodes reads", () => {
  const from = (...ids: string[]) => ({ type: "t", inputs: Object.fromEntries(ids.map((id, n) => [`x${n}`, { from: id }])) });
  const nodes = { early: from(), late: from("between", "early"), between: from("source"), source: from(), end: from("late") };
  const chapters = chaptersOf({ nodegraph: 1, nodes }, new Map([["early", "1"], ["late", "1"]]));
  expect(chapters).toEqual([
    { group: null, nodes: ["source", "between"] },
    { group: "1", nodes: ["early", "late"] },
    { group: null, nodes: ["end"] },
  ]);
});
