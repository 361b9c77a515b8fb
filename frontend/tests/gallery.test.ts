/** Results: found, told and looked at closely; and the queue's list. */

import { expect, test } from "vitest";

import { isFound, parametersOf } from "../src/graph/gallery";
import { aliveInOrder, byDay, linesOf, secondsLeft, usualSeconds } from "../src/graph/queue";
import { moved, WHOLE, zoomed } from "../src/graph/zoom";
import { DOCUMENT } from "./knowledge";

test("a search finds words of the title and of what was given", () => {
  const made = { title: "Text to image", inputs: { prompt: "a red circle", seed: 18446744073709551615n } };
  expect(isFound(made, "")).toBe(true);
  expect(isFound(made, "RED image")).toBe(true);
  expect(isFound(made, "18446744073709551615")).toBe(true);
  expect(isFound(made, "red square")).toBe(false);
});

test("a picture's parameters are its named inputs, or what its nodes were given", () => {
  const named = parametersOf({ width: 64, steps: 4, prompt: "a cat", negative: "" }, DOCUMENT);
  expect(named.map(({ name }) => name)).toEqual(["prompt", "steps", "width"]);
  expect(parametersOf({}, DOCUMENT)).toEqual([
    { name: "prompt", value: "a circle" },
    { name: "seed", value: "7" },
    { name: "file", value: "tiny.safetensors" },
  ]);
});

test("zooming keeps the point, and moving keeps the picture in sight", () => {
  const near = zoomed(WHOLE, 2, { x: 100, y: 0 });
  expect(near).toEqual({ scale: 2, x: -100, y: 0 });
  expect(zoomed(near, 0.1)).toBe(WHOLE);
  expect(moved(near, { x: -1_000, y: 1_000 }, { width: 400, height: 300 })).toEqual({ scale: 2, x: -200, y: 150 });
});

const job = (number: number, state = "done", more: object = {}) => ({ id: `j${number}`, number, title: "a", state, created: number, ...more });

test("what runs stands first, then what waits in the server's order", () => {
  const jobs = [job(1, "running"), job(2, "queued"), job(3, "queued"), job(4, "queued"), job(5, "done")];
  expect(aliveInOrder(jobs, ["j3", "j2"]).map(({ number }) => number)).toEqual([1, 3, 2, 4]);
});

test("a sweep is one line, where its first job stands", () => {
  const lines = linesOf([job(4), job(3, "done", { group: "g" }), job(2), job(1, "done", { group: "g" })]);
  expect(lines.map(({ key, jobs }) => [key, jobs.length])).toEqual([["j4", 1], ["g", 2], ["j2", 1]]);
});

test("what is over is told by day", () => {
  const days = byDay([job(30), job(25), job(11)], (seconds) => String(Math.floor(seconds / 10)));
  expect(days.map(({ day, items }) => [day, items.length])).toEqual([["3", 1], ["2", 1], ["1", 1]]);
});

test("earlier runs and progress tell when a job will be over", () => {
  const runs = [4, 10, 6].map((seconds, index) => job(index, "done", { started: 100, finished: 100 + seconds }));
  expect(usualSeconds(runs, "a")).toBe(6);
  expect(usualSeconds(runs, "another")).toBeNull();
  const running = job(9, "running", { started: 100 });
  expect(secondsLeft(running, 0.5, 6, 104)).toBe(4);
  expect(secondsLeft(running, 0, 6, 104)).toBe(2);
  expect(secondsLeft(running, 0, null, 104)).toBeNull();
});
