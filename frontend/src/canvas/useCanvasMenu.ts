/** Which menu belongs to a place of the canvas: a right click there, the menu key, or a finger held still. */

import { useReactFlow } from "@xyflow/react";
import { useState, type MouseEvent } from "react";

import { isTyping } from "../commands/keys";
import { canvasEntries, inputEntries, linkEntries, nodeEntries, outputEntries, wayEntries } from "../commands/menus";
import type { Document, Point } from "../graph/document";
import { portsOf } from "../graph/partners";
import type { Scene } from "../graph/scene";
import { knowledge } from "../store/server";
import { useUi } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import type { OpenMenu } from "./PointMenu";
import { isTouch } from "./touch";

export function useCanvasMenu(scene: Scene) {
  const { screenToFlowPosition } = useReactFlow();
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const openAt = (target: EventTarget | null, screen: Point): boolean => {
    const document = activeDocument();
    if (document === undefined || !(target instanceof Element) || isTyping(target)) return false;
    const add = () => useUi.setState({ adding: { screen, at: screenToFlowPosition(screen) } });
    const found = menuOf(target, scene, document, screen, add);
    if (found === null) return false;
    if (found.node !== undefined) selectForMenu(found.node);
    setMenu(found);
    return true;
  };
  const onContextMenu = (event: MouseEvent) => {
    // Some browsers tell of a finger that is held still, some do not: it is counted once.
    if (isTouch() && menu !== null) event.preventDefault();
    else if (openAt(event.target, { x: event.clientX, y: event.clientY })) event.preventDefault();
  };
  return { menu, openAt, onContextMenu, closeMenu: () => setMenu(null) };
}

/** A menu of a node is one of all selected nodes, if it is among them. */
export function selectForMenu(node: string): void {
  const { selected, select } = useWorkspace.getState();
  if (!selected.includes(node)) select([node]);
}

function menuOf(target: Element, scene: Scene, document: Document, at: Point, add: () => void): OpenMenu | null {
  const way = target.closest<HTMLElement>(".way-point")?.dataset;
  const led = scene.links.find(({ id }) => id === way?.edge);
  if (led) return { at, label: text.ways.menu, entries: wayEntries(led, Number(way?.index), at) };
  const edge = target.closest<SVGElement>(".react-flow__edge")?.dataset.id;
  const link = scene.links.find(({ id }) => id === edge);
  if (link) return { at, label: text.menu.link, entries: linkEntries(link, at) };
  const id = target.closest<HTMLElement>(".react-flow__node")?.dataset.id;
  const node = id === undefined ? undefined : scene.nodes.get(id);
  if (node === undefined) {
    const isPane = target.classList.contains("react-flow__pane");
    return isPane ? { at, label: text.menu.canvas, entries: canvasEntries(add) } : null;
  }
  const place = target.closest<HTMLElement>("[data-row]")?.dataset.row;
  const row = node.rows.find(({ port }) => `in:${port}` === place);
  if (row) return { at, label: text.menu.input(row.label), entries: inputEntries(document, node.id, row), node: node.id };
  const output = portsOf(document, node.id, knowledge().catalogue).find(({ side, port }) => `${side}:${port}` === place);
  if (output) return { at, label: text.menu.output(output.label), entries: outputEntries(output, at), node: node.id };
  const title = node.entry.title ?? node.type.title;
  return { at, label: text.menu.node(title), entries: nodeEntries(document, node.id), node: node.id };
}
