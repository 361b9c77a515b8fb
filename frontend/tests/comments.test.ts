/** Comments on nodes go wherever their nodes go, and are found. */

import { expect, test } from "vitest";

import { duplicated } from "../src/graph/clipboard";
import { collapsedIn, toggleCollapsed } from "../src/graph/collapse";
import { commentOn, setComment } from "../src/graph/comments";
import { removeNodes } from "../src/graph/edits";
import { estimate } from "../src/graph/estimate";
import { findNodes } from "../src/graph/find";
import { group } from "../src/graph/grouping";
import { sceneOf } from "../src/graph/scene";
import { inside } from "../src/graph/scope";
import { ungroup } from "../src/graph/ungrouping";
import { CATALOGUE, DOCUMENT, KNOWN } from "./knowledge";

const TOLD = toggleCollapsed(setComment(setComment(DOCUMENT, "prompt", " what is seen \n"), "sample", "slow"), ["sample"]);

test("a comment is written, kept without what surrounds it, and taken away", () => {
  expect(TOLD.view?.comments).toEqual({ prompt: "what is seen", sample: "slow" });
  expect(TOLD.nodes).toBe(DOCUMENT.nodes);
  expect(setComment(TOLD, "prompt", "what is seen")).toBe(TOLD);
  const less = setComment(setComment(TOLD, "prompt", "  "), "sample", "");
  expect(less.view).toEqual({ ...DOCUMENT.view, collapsed: ["sample"] });
  expect(commentOn({ view: { comments: { prompt: 5 } } }, "prompt")).toBe("");
  expect(commentOn(TOLD, "toString")).toBe("");
});

test("the scene has it, and only its node is drawn again; it is found", () => {
  const before = sceneOf(DOCUMENT, CATALOGUE);
  const after = sceneOf(setComment(DOCUMENT, "prompt", "a\nb"), CATALOGUE, before);
  const [node, old] = [after.nodes.get("prompt"), before.nodes.get("prompt")];
  expect(node?.comment).toBe("a\nb");
  expect(node && old && estimate(node).height - estimate(old).height).toBe(12 + 2 * 17);
  expect(after.nodes.get("sample")).toBe(before.nodes.get("sample"));
  expect(findNodes(TOLD, CATALOGUE, "seen").map(({ id }) => id)).toEqual(["prompt"]);
});

test("copies and subgraphs keep it, and what is collapsed; a node that goes takes it along", () => {
  const copies = duplicated(TOLD, ["prompt", "sample"]);
  expect(copies.ids.map((id) => commentOn(copies.document, id))).toEqual(["what is seen", "slow"]);
  expect([...collapsedIn(copies.document)]).toEqual(["sample", copies.ids[1]]);
  const made = group(TOLD, ["prompt", "sample"], "Some", KNOWN);
  if (made === null) throw new Error("nothing was grouped");
  expect(commentOn(made.document, "prompt")).toBe("");
  const scope = inside(made.document, made.name);
  expect(scope && [commentOn(scope, "sample"), ...collapsedIn(scope)]).toEqual(["slow", "sample"]);
  const back = ungroup(made.document, made.id)?.document;
  expect(back?.view?.comments).toEqual(TOLD.view?.comments);
  expect(removeNodes(TOLD, ["prompt", "sample"]).view?.comments).toBeUndefined();
});
