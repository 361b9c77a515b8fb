import { expect, test } from "vitest";

import { addAnnotation, annotationsOf, around, changeAnnotation, inside, removeAnnotation } from "../src/graph/annotations";
import { moveNodes } from "../src/graph/edits";
import { DOCUMENT } from "./knowledge";

const NOTE = { text: "mind the seed", x: 1, y: 2, width: 200, height: 100, colour: "yellow" } as const;

test("notes are added, changed and removed, and nothing else changes", () => {
  const { document, id } = addAnnotation(DOCUMENT, "notes", NOTE);
  expect(annotationsOf(document, "notes")).toEqual(new Map([[id, NOTE]]));
  expect(document.nodes).toBe(DOCUMENT.nodes);
  const changed = changeAnnotation(document, "notes", id, { x: 10.6, text: "mind the steps" });
  expect(annotationsOf(changed, "notes").get(id)).toEqual({ ...NOTE, x: 11, text: "mind the steps" });
  expect(addAnnotation(changed, "notes", NOTE).id).not.toBe(id);
  expect(annotationsOf(removeAnnotation(changed, "notes", id), "notes").size).toBe(0);
  expect(changeAnnotation(document, "groups", id, { x: 3 })).toBe(document);
});

test("a group goes around its nodes, and knows which lie in it", () => {
  const boxes = new Map([
    ["a", { x: 0, y: 0, width: 272, height: 100 }],
    ["b", { x: 400, y: 50, width: 272, height: 200 }],
    ["far", { x: 900, y: 0, width: 272, height: 100 }],
  ]);
  const group = around([...boxes.values()].slice(0, 2), "Prompt");
  expect(group.x).toBeLessThan(0);
  expect(group.x + group.width).toBeGreaterThan(672);
  expect(group.y + group.height).toBeGreaterThan(250);
  expect(inside(group, boxes)).toEqual(["a", "b"]);
});

test("what cannot be read as a note is kept, and places of nodes do not touch it", () => {
  const odd = { ...DOCUMENT, view: { ...DOCUMENT.view, notes: { "1": { x: "left" }, "2": { ...NOTE, colour: "unheard of" } } } };
  expect([...annotationsOf(odd, "notes").values()]).toEqual([{ ...NOTE, colour: "grey" }]);
  const { document, id } = addAnnotation(odd, "notes", NOTE);
  expect(id).toBe("3");
  expect(moveNodes(document, { sample: { x: 5, y: 5 } }).view?.notes).toBe(document.view?.notes);
  expect(document.view?.notes).toMatchObject({ "1": { x: "left" } });
});
