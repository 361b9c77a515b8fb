/** Every text that people see stands in the table: none is written in a component. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import ts from "typescript";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..", "src");
/** Attributes that are read or heard. */
const SEEN: ReadonlySet<string> = new Set(["aria-label", "aria-description", "aria-roledescription", "alt", "label", "placeholder", "title"]);
const WORD = /\p{L}{2,}/u;

/** The English that is written in a component, each with its line. */
export function literalsIn(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const tell = (node: ts.Node, words: string) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    if (WORD.test(words)) found.push(`${name}:${line + 1}: ${words.trim()}`);
  };
  /** What an expression may come to: both ends of a choice, all parts of a template. */
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) tell(node, node.text);
    else if (ts.isTemplateExpression(node)) tell(node, [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join(" "));
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(look);
    else if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) look(node.expression);
    else if (ts.isBinaryExpression(node) && JOINS.has(node.operatorToken.kind)) [node.left, node.right].forEach(look);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) tell(node, node.text);
    else if (ts.isJsxExpression(node) && ts.isJsxElement(node.parent) && node.expression) look(node.expression);
    else if (ts.isJsxAttribute(node) && SEEN.has(node.name.getText()) && node.initializer) {
      look(ts.isJsxExpression(node.initializer) ? (node.initializer.expression ?? node.initializer) : node.initializer);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const JOINS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.PlusToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandToken,
]);

test("no component writes what people read", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tsx"));
  expect(files.length).toBeGreaterThan(30);
  expect(files.flatMap((name) => literalsIn(name, readFileSync(join(SOURCE, name), "utf8")))).toEqual([]);
});

test("what is written in a component is found, and what only looks like it is not", () => {
  const found = (source: string) => literalsIn("x.tsx", `const x = ${source};`).map((line) => line.replace(/^.*?: /, ""));
  expect(found("<p>Hello there</p>")).toEqual(["Hello there"]);
  expect(found('<p>{isOpen ? "Close" : text.open}</p>')).toEqual(["Close"]);
  expect(found('<button aria-label="Close" />')).toEqual(["Close"]);
  expect(found("<img alt={`Picture of ${name}`} />")).toEqual(["Picture of"]);
  expect(found('<i title={name ?? "Unknown"} placeholder={"Search " + name} />')).toEqual(["Unknown", "Search"]);
  expect(found('<p className="quiet" role="status">{text.hello} · {count} {" "}</p>')).toEqual([]);
  expect(found('<p>{kind === "info" ? <Info /> : null}{left || one.title}</p>')).toEqual([]);
});
