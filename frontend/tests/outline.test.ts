import { expect, test } from "vitest";

import { linesOf, wrapped, type Box } from "../src/graph/outline";
import { sceneOf } from "../src/graph/scene";
import { CATALOGUE, DOCUMENT } from "./knowledge";

const tenEach = (text: string) => text.length * 10;

test("lines go from the outputs at the right to the linked inputs at the left, in their order", () => {
  const scene = sceneOf(DOCUMENT, CATALOGUE);
  const boxes = new Map<string, Box>(
    [...scene.nodes.values()].map(({ id, position }) => [id, { ...position, width: 200, height: 60 }]),
  );
  const found = linesOf(scene.links, scene.nodes, boxes).map(({ from, to, link }) => [link.id, from, to]);
  // The loader has three outputs, at 10, 30 and 50; the sampler two linked inputs, at 15 and 45.
  expect(found).toContainEqual(["loader.model>sample.model", { x: 200, y: 10 }, { x: 600, y: 15 }]);
  expect(found).toContainEqual(["loader.encoder>prompt.encoder", { x: 200, y: 30 }, { x: 300, y: 30 }]);
  expect(found).toContainEqual(["prompt.conditioning>sample.positive", { x: 500, y: 30 }, { x: 600, y: 45 }]);
  boxes.delete("prompt");
  expect(linesOf(scene.links, scene.nodes, boxes)).toHaveLength(1);
});

test("titles are broken between words, and cut where they are too long", () => {
  expect(wrapped("Encode text", 200, 2, tenEach)).toEqual(["Encode text"]);
  expect(wrapped("Encode text", 80, 2, tenEach)).toEqual(["Encode", "text"]);
  expect(wrapped("Extraordinarily long", 80, 2, tenEach)).toEqual(["Extraor…", "long"]);
  expect(wrapped("one two three", 60, 2, tenEach)).toEqual(["one", "two t…"]);
  expect(wrapped("one two three four", 60, 1, tenEach)).toEqual(["one t…"]);
});
