/** Saved workflows in their list, and the names that they may have. */

import { expect, test } from "vitest";

import { freeName, isName, listed } from "../src/graph/saved";

const ITEMS = [
  { name: "Cat 10", updated: 1 },
  { name: "cat 9", updated: 3 },
  { name: "a dog and a cat", updated: 2 },
];
const names = (query: string, order: "newest" | "name") => listed(ITEMS, query, order).map(({ name }) => name);

test("workflows are listed by age or by name, numbers by their value", () => {
  expect(names("", "newest")).toEqual(["cat 9", "a dog and a cat", "Cat 10"]);
  expect(names("", "name")).toEqual(["a dog and a cat", "cat 9", "Cat 10"]);
});

test("all words of a query stand in a name, in whatever order and case", () => {
  expect(names("CAT dog", "name")).toEqual(["a dog and a cat"]);
  expect(names("  ", "name")).toHaveLength(3);
  expect(names("cow", "name")).toEqual([]);
});

test("a name has no slash, no control character, is not too long, and is none of the library", () => {
  expect(["x", "näme 2", "x".repeat(100)].map(isName)).toEqual([true, true, true]);
  expect(["", "a/b", "a\\b", "a\nb", "x".repeat(101), "subgraph:x"].map(isName)).toEqual(Array(6).fill(false));
});

test("a free name follows the one that is taken, and is as short as names must be", () => {
  expect(freeName("cat", new Set())).toBe("cat");
  expect(freeName("cat", new Set(["cat", "cat 2"]))).toBe("cat 3");
  const long = "x".repeat(100);
  expect(freeName(long, new Set([long]))).toBe(`${"x".repeat(98)} 2`);
});
