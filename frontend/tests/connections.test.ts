import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { assignable, type Classes } from "../src/graph/assignable";
import { substitute, unify, type Solution } from "../src/graph/generics";
import type { Json } from "../src/graph/json";
import { judge } from "../src/graph/links";
import { connect } from "../src/graph/edits";
import { placeIn, portsOf } from "../src/graph/partners";
import { readType } from "../src/graph/sockets";
import { CATALOGUE, DOCUMENT, KNOWN } from "./knowledge";

interface Table {
  value_classes: Classes;
  links: { cases: { source: Json; target: Json; ok: boolean; reason: string }[] }[];
  variables: { patterns: Json[]; given: Json[]; solved: Record<string, Json> | null; reason: string }[];
}

// The engine's tests run the same table.
const path = new URL("../../tests/contracts/socket_cases.json", import.meta.url);
const table = JSON.parse(readFileSync(path, "utf-8")) as Table;
const cases = table.links.flatMap((group) => group.cases);

test.each(cases.map((one) => [JSON.stringify(one.source), JSON.stringify(one.target), one] as const))(
  "%s into %s",
  (_, __, { source, target, ok, reason }) => {
    expect(assignable(readType(source), readType(target), table.value_classes)).toEqual({ ok, reason });
  },
);

test.each(table.variables.map((row) => [row.reason, row] as const))("variables: %s", (_, row) => {
  const solution: Solution = {};
  const clashes = row.patterns.map((pattern, index) =>
    unify(readType(pattern), readType(row.given[index]), solution, table.value_classes),
  );
  const clash = clashes.find((one) => one !== null) ?? null;
  if (row.solved === null) {
    expect(clash).toBe(row.reason);
    return;
  }
  expect(clash).toBeNull();
  const expected = Object.entries(row.solved).map(([name, type]) => [name, readType(type)]);
  expect(solution).toEqual(Object.fromEntries(expected));
  row.patterns.forEach((pattern, index) => {
    const target = substitute(readType(pattern), solution);
    expect(assignable(readType(row.given[index]), target, table.value_classes).ok).toBe(true);
  });
});

const port = (place: string) => {
  const [node = "", name = ""] = place.split(":");
  return { node, port: name };
};

test.each([
  ["loader:vae", "sample:model", "vae is not model"],
  ["sample:latent", "sample:positive", "a node cannot feed itself"],
  ["prompt:conditioning", "prompt:encoder", "a node cannot feed itself"],
  ["loader:nothing", "sample:model", "there is no such socket"],
])("a link from %s to %s is refused: %s", (from, to, reason) => {
  expect(judge(DOCUMENT, port(from), port(to), KNOWN)).toEqual({ ok: false, reason });
});

test("a link that closes a circle is refused", () => {
  const nodes = { a: { type: "logic.if" }, b: { type: "logic.if" } };
  const linked = connect({ nodegraph: 1, nodes }, port("a:value"), port("b:then"), true);
  const verdict = judge(linked, port("b:value"), port("a:then"), { catalogue: CATALOGUE, classes: {} });
  expect(verdict).toEqual({ ok: false, reason: "the graph would run in a circle" });
});

test("inputs that share a variable have to agree", () => {
  const nodes = { ...DOCUMENT.nodes, choose: { type: "logic.if", inputs: { then: { from: "sample" } } } };
  const verdict = judge({ ...DOCUMENT, nodes }, port("loader:model"), port("choose:otherwise"), KNOWN);
  expect(verdict).toEqual({ ok: false, reason: "its inputs do not agree: latent and model" });
  expect(judge({ ...DOCUMENT, nodes }, port("choose:value"), port("sample:model"), KNOWN).ok).toBe(false);
});

test("a link that is dropped on a node goes to the first free place that it fits", () => {
  const find = (node: string, side: string, name: string) => {
    const found = portsOf(DOCUMENT, node, KNOWN.catalogue).find((one) => one.side === side && one.port === name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  const conditioning = find("prompt", "out", "conditioning");
  const free = { ...DOCUMENT, nodes: { ...DOCUMENT.nodes, other: { type: "sample" } } };
  expect(placeIn(free, conditioning, "other", KNOWN)?.port).toBe("positive");
  const joining = { ...free, nodes: { ...free.nodes, i: { type: "image.make" }, join: { type: "image.join", inputs: { images: [{ from: "i" }] } } } };
  const image = portsOf(joining, "i", KNOWN.catalogue)[0] ?? conditioning;
  expect(placeIn(joining, image, "join", KNOWN)?.port).toBe("images[1]");
  expect(placeIn(free, find("loader", "out", "vae"), "other", KNOWN)).toBeUndefined();
  expect(placeIn(free, find("sample", "in", "model"), "loader", KNOWN)?.port).toBe("model");
});
