import { expect, test } from "vitest";

import { positionOf, sameDocument, type Document } from "../src/graph/document";
import { addNode, connect, disconnect, moveNodes, removeNodes, setInput, setMode, setTitle } from "../src/graph/edits";
import { begin, redo, step, undo } from "../src/graph/history";
import { judge, linksOf } from "../src/graph/links";
import { CATALOGUE, DOCUMENT, KNOWN } from "./knowledge";

/** Numbers that look random and are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomEdit(document: Document, random: () => number): Document {
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const types = [...CATALOGUE.values()];
  const node = pick(Object.keys(document.nodes));
  const type = pick(types);
  if (type !== undefined && (node === undefined || random() < 0.25)) {
    return addNode(document, type, { x: random() * 900, y: random() * 900 }).document;
  }
  if (node === undefined) return document;
  const link = pick(linksOf(document, CATALOGUE));
  const edits = [
    () => removeNodes(document, [node]),
    () => moveNodes(document, { [node]: { x: random() * 900, y: random() * 900 } }),
    () => setInput(document, { node, port: "text" }, `text ${random()}`),
    () => setMode(document, [node], pick(["mute", "bypass", null] as const) ?? null),
    () => setTitle(document, node, `title ${random()}`),
    () => (link ? disconnect(document, [link.to]) : document),
    () => randomLink(document, random),
  ];
  return pick(edits)?.() ?? document;
}

function randomLink(document: Document, random: () => number): Document {
  const ids = Object.keys(document.nodes);
  for (let tries = 0; tries < 20; tries += 1) {
    const from = ids[Math.floor(random() * ids.length)] ?? "";
    const to = ids[Math.floor(random() * ids.length)] ?? "";
    const output = Object.keys(CATALOGUE.get(document.nodes[from]?.type ?? "")?.outputs ?? {})[0];
    const input = CATALOGUE.get(document.nodes[to]?.type ?? "")?.inputs[0];
    if (output === undefined || input === undefined || input.growing !== null) continue;
    const ends = [{ node: from, port: output }, { node: to, port: input.name }] as const;
    if (judge(document, ...ends, KNOWN).ok) return connect(document, ...ends, false);
  }
  return document;
}

test.each([1, 2, 3, 4, 5])("200 random edits undone give the start, redone the end (seed %i)", (seed) => {
  const random = randomFrom(seed);
  const states: Document[] = [DOCUMENT];
  let history = begin(DOCUMENT);
  while (states.length <= 200) {
    const next = randomEdit(history.present, random);
    if (next === history.present) continue;
    history = step(history, next);
    states.push(next);
  }
  const end = history.present;
  for (const expected of states.slice(0, -1).reverse()) {
    history = undo(history);
    expect(history.present).toBe(expected);
  }
  expect(sameDocument(history.present, DOCUMENT)).toBe(true);
  expect(undo(history)).toBe(history);
  for (let number = 0; number < 200; number += 1) history = redo(history);
  expect(history.present).toBe(end);
  expect(redo(history)).toBe(history);
  for (const id of Object.keys(end.nodes)) expect(positionOf(end, id)).not.toBeNull();
});

test("letters that are typed into one field are one step, another field is another", () => {
  let history = begin("");
  history = step(history, "a", "node.text", 1_000);
  history = step(history, "ab", "node.text", 1_400);
  history = step(history, "abc", "node.title", 1_500);
  history = step(history, "abcd", "node.title", 9_000);
  expect(undo(history).present).toBe("abc");
  expect(undo(undo(history)).present).toBe("ab");
  expect(undo(undo(undo(history))).present).toBe("");
});

test("a drag is one step, however long it rests, and the next drag is another", () => {
  let history = begin(0);
  history = step(history, 1, "notes 1 move", 1_010, 1_000);
  history = step(history, 2, "notes 1 move", 9_000, 1_000);
  history = step(history, 3, "notes 1 move", 20_010, 20_000);
  expect(undo(history).present).toBe(2);
  expect(undo(undo(history)).present).toBe(0);
});

test("an edit after undo forgets what was undone", () => {
  const undone = undo(step(step(begin(1), 2), 3));
  expect(step(undone, 9).future).toEqual([]);
});
