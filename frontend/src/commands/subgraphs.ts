/** Subgraphs: made of a selection, taken apart, entered and left. */

import { focusNode } from "../canvas/places";
import { definitionRunBy, freshDefinition, withDefinition } from "../graph/definitions";
import type { Document } from "../graph/document";
import { group } from "../graph/grouping";
import { plainPath } from "../graph/run";
import { definitionOf, inside } from "../graph/scope";
import { ungroup } from "../graph/ungrouping";
import { knowledge } from "../store/server";
import { isSmall } from "../store/screen";
import { show, showNodes, tell, useUi } from "../store/ui";
import { activeDocument, activeTab, pathOf, useWorkspace, type Step } from "../store/workspace";
import { text } from "../text/en";

const { edit, editAll, enter, select } = useWorkspace.getState();

function selectedIds(): readonly string[] {
  const document = activeDocument();
  return useWorkspace.getState().selected.filter((id) => document && Object.hasOwn(document.nodes, id));
}

/** Select nodes, and give the focus to the first: what had it may be gone. */
function take(ids: readonly string[]): void {
  select(ids);
  if (ids[0] !== undefined) focusNode(ids[0]);
}

/** The selected nodes become a subgraph. */
export function groupSelected(): void {
  const ids = selectedIds();
  const document = activeDocument();
  const grouped = document ? group(document, ids, text.subgraph.untitled, knowledge()) : null;
  if (grouped === null) {
    tell("info", text.subgraph.nothing);
    return;
  }
  edit(() => grouped.document);
  take([grouped.id]);
  if (grouped.unfed.length > 0) tell("info", text.subgraph.unfed(grouped.unfed), text.subgraph.unfedLead);
}

/** Each selected node that uses a subgraph gives way to the nodes inside. */
export function ungroupSelected(): void {
  const made: string[] = [];
  edit((document) =>
    selectedIds().reduce((edited, id) => {
      const taken = ungroup(edited, id);
      if (taken) made.push(...taken.ids);
      return taken?.document ?? edited;
    }, document),
  );
  if (made.length > 0) take(made);
  else tell("info", text.subgraph.nothingToUngroup);
}

/** A new, empty subgraph: for the body of a loop, or to be built from the inside. */
export function newSubgraph(): void {
  const tab = activeTab();
  if (tab === undefined) return;
  const name = freshDefinition(tab.history.present, text.subgraph.untitled);
  const view = { nodes: { "@in": { x: 0, y: 0 }, "@out": { x: 640, y: 0 } } };
  editAll((document) => withDefinition(document, name, { title: text.subgraph.untitled, inputs: {}, outputs: {}, nodes: {}, view }));
  enter([{ definition: name, node: null }]);
}

/** The definition that a node runs, where it can be entered. */
export function definitionAt(document: Document, id: string): string | null {
  const entry = document.nodes[id];
  return entry ? definitionRunBy(document, entry) : null;
}

export function enterNode(id: string): void {
  const tab = activeTab();
  const document = activeDocument();
  const definition = document ? definitionAt(document, id) : null;
  if (tab === undefined || definition === null) return;
  enter([...pathOf(tab), { definition, node: id }]);
}

export function enterSelected(): void {
  const [id] = selectedIds();
  if (id !== undefined) enterNode(id);
}

/** Out of the subgraph, to the node through which one came. */
export function leave(): void {
  const tab = activeTab();
  const path = tab ? pathOf(tab) : [];
  const last = path.at(-1);
  if (last === undefined) return;
  enter(path.slice(0, -1));
  if (last.node !== null) take([last.node]);
}

/** Go to a node by its path in a problem or a plan, into the subgraphs where it stands. */
export function reveal(path: string): void {
  const tab = activeTab();
  if (tab === undefined) return;
  const steps: Step[] = [];
  let document: Document = tab.history.present;
  const parts = plainPath(path).split("/");
  const last = parts.pop() ?? "";
  for (const node of parts) {
    const definition = definitionAt(document, node);
    const next = definition === null ? null : inside(tab.history.present, definition);
    if (definition === null || next === null || definitionOf(tab.history.present, definition) === undefined) break;
    steps.push({ definition, node });
    document = next;
  }
  const target = steps.length === parts.length ? last : (parts[steps.length] ?? last);
  showNodes();
  // On a small screen the panel lies over what is to be seen.
  if (isSmall()) useUi.setState({ panel: null });
  const same = JSON.stringify(steps) === JSON.stringify(pathOf(tab));
  if (!same) enter(steps);
  if (!Object.hasOwn(document.nodes, target)) return;
  select([target]);
  // The canvas of another subgraph has to be drawn before a node of it can be shown.
  window.setTimeout(() => show(target), same ? 0 : 120);
}
