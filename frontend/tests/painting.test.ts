/** PNG files by their bytes, and the acts of painting. */

import { deflateSync, inflateSync } from "node:zlib";

import { expect, test } from "vitest";

import { act, redoAct, resized, undoAct, UNTOUCHED, type Act } from "../src/graph/painting";
import { filtered, readPng, unfiltered, writePng, type Pixels } from "../src/graph/png";

const PIXELS: Pixels = { width: 5, height: 3, rgba: Uint8Array.from({ length: 60 }, (_, at) => (at * 37) % 256) };

test("a picture comes back with the colours of what is transparent", () => {
  const rgba = PIXELS.rgba.slice();
  for (let at = 3; at < 32; at += 4) rgba[at] = 0;
  const file = writePng(5, 3, deflateSync(filtered({ ...PIXELS, rgba })));
  const packed = readPng(file);
  if (packed === null) throw new Error("it is no PNG");
  expect(unfiltered(packed, inflateSync(packed.data))).toEqual({ width: 5, height: 3, rgba });
});

test("every filter of PNG is undone", () => {
  // One row for each filter, worked out by hand: three channels, one pixel of (10, 20, 30), then (11, 22, 33).
  const rows = Uint8Array.from([
    0, 10, 20, 30, 11, 22, 33,
    1, 10, 20, 30, 1, 2, 3,
    2, 0, 0, 0, 0, 0, 0,
    3, 5, 10, 15, 1, 1, 2,
    4, 0, 0, 0, 0, 0, 0,
  ]);
  const { rgba } = unfiltered({ width: 2, height: 5, channels: 3, data: new Uint8Array() }, rows);
  const row = [10, 20, 30, 255, 11, 22, 33, 255];
  expect([...rgba]).toEqual([...row, ...row, ...row, ...row, ...row]);
});

test("what is no plain PNG is left to the browser", () => {
  expect(readPng(new Uint8Array(64))).toBeNull();
  const file = writePng(1, 1, new Uint8Array());
  file[28] = 1; // interlaced
  expect(readPng(file)).toBeNull();
});

test("acts are undone and redone, and a new one ends what could be redone", () => {
  const [clear, invert]: Act[] = [{ kind: "clear" }, { kind: "invert" }];
  if (clear === undefined || invert === undefined) throw new Error();
  const both = act(act(UNTOUCHED, clear), invert);
  expect(undoAct(both)).toEqual({ done: [clear], undone: [invert] });
  expect(redoAct(undoAct(both))).toEqual(both);
  expect(act(undoAct(both), clear)).toEqual({ done: [clear, clear], undone: [] });
  expect(undoAct(UNTOUCHED)).toEqual(UNTOUCHED);
});

test("the brush grows and shrinks within its limits", () => {
  expect([resized(1, false, 50), resized(3, true, 50), resized(40, true, 50), resized(49, true, 50)]).toEqual([1, 4, 46, 50]);
});
