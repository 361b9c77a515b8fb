/** The scene of a tab as React Flow's nodes and edges. Only what changed gets a new object, and redraws. */

import { applyNodeChanges, useStoreApi, type Edge, type EdgeChange, type Node, type NodeChange } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { positionOf, type Document, type Point, type Port } from "../graph/document";
import { moveNodes } from "../graph/edits";
import { estimate } from "../graph/estimate";
import { EMPTY_SCENE, sceneOf, type Scene, type SceneNode } from "../graph/scene";
import { isBoundary } from "../graph/scope";
import { useServer } from "../store/server";
import { shownOf, useWorkspace, type Tab } from "../store/workspace";
import { lookOf } from "./looks";

export type FlowNode = Node<{ scene: SceneNode }, "card" | "boundary">;
export type FlowEdge = Edge<{ from: Port; to: Port; points: readonly Point[] }>;

const MEASURED = "is-measured";

/** What a document looks like. What did not change is what it was. */
export function useDrawn(document: Document): Scene {
  const catalogue = useServer((server) => server.catalogue);
  const last = useRef<Scene>(EMPTY_SCENE);
  return useMemo(() => {
    const next = sceneOf(document, catalogue, last.current);
    last.current = next;
    return next;
  }, [document, catalogue]);
}

export function useScene(tab: Tab) {
  const selected = useWorkspace((workspace) => workspace.selected);
  const selectedLinks = useWorkspace((workspace) => workspace.selectedLinks);
  const scene = useDrawn(shownOf(tab));

  const [nodes, setNodes] = useState<FlowNode[]>([]);
  useEffect(() => {
    const chosen = new Set(selected);
    setNodes((before) => merged(before, scene, chosen));
  }, [scene, selected]);

  const edges = useMemo(() => {
    const chosen = new Set(selectedLinks.map(({ node, port }) => `${node}.${port}`));
    return scene.links.map(
      ({ id, from, to, type, points }): FlowEdge => ({
        id,
        ...(points.length > 0 ? { type: "way" } : {}),
        source: from.node,
        sourceHandle: `out:${from.port}`,
        target: to.node,
        targetHandle: `in:${to.port}`,
        data: { from, to, points },
        selected: chosen.has(`${to.node}.${to.port}`),
        style: { "--colour": lookOf(type).colour },
      }),
    );
  }, [scene, selectedLinks]);

  // Groups and notes are no nodes of React Flow: they stay selected while more is added to them.
  const store = useStoreApi();
  const keepsFrames = useCallback(() => store.getState().multiSelectionActive, [store]);

  // What is selected has one home, the workspace: two that follow each other would chase each other.
  const onNodesChange = useCallback((changes: NodeChange<FlowNode>[]) => {
    const { selected: ids, selectedLinks: ends, selectedFrames: frames, select } = useWorkspace.getState();
    const chosen = picked(new Map(ids.map((id) => [id, id])), changes, (id) => id);
    if (chosen !== null) select(chosen, ends, keepsFrames() ? frames : []);
    const others = changes.filter(({ type }) => type !== "select");
    if (others.length > 0) setNodes((before) => settled(applyNodeChanges(others, before)));
  }, [keepsFrames]);

  const onEdgesChange = useCallback(
    (changes: EdgeChange<FlowEdge>[]) => {
      const { selected: ids, selectedLinks: ends, selectedFrames: frames, select } = useWorkspace.getState();
      const byId = new Map(scene.links.map(({ id, to }) => [id, to]));
      const now = new Map([...byId].filter(([, to]) => ends.some(({ node, port }) => node === to.node && port === to.port)));
      const chosen = picked(now, changes, (id) => byId.get(id));
      if (chosen !== null) select(ids, chosen, keepsFrames() ? frames : []);
    },
    [scene, keepsFrames],
  );

  const commitMoves = useCallback((moved: readonly FlowNode[], key?: string) => {
    const places = Object.fromEntries(moved.map(({ id, position }) => [id, position]));
    const isMoved = (one: Document) =>
      moved.some(({ id, position: { x, y } }) => {
        const before = positionOf(one, id);
        return before === null || before.x !== Math.round(x) || before.y !== Math.round(y);
      });
    useWorkspace.getState().edit((one) => (isMoved(one) ? moveNodes(one, places) : one), key);
  }, []);

  return { scene, nodes, edges, onNodesChange, onEdgesChange, commitMoves };
}

/** What is selected after some changes; null where they change nothing of it. */
function picked<T>(
  before: ReadonlyMap<string, T>,
  changes: readonly (NodeChange<FlowNode> | EdgeChange<FlowEdge>)[],
  find: (id: string) => T | undefined,
): T[] | null {
  const now = new Map(before);
  for (const change of changes) {
    if (change.type !== "select") continue;
    const one = find(change.id);
    if (change.selected && one !== undefined) now.set(change.id, one);
    else now.delete(change.id);
  }
  const isSame = now.size === before.size && [...now.keys()].every((id) => before.has(id));
  return isSame ? null : [...now.values()];
}

/** Nodes whose size is known may be left out of what the browser lays out, where they are out of sight. */
function settled(nodes: FlowNode[]): FlowNode[] {
  return nodes.map((node) => (node.measured && node.className === undefined ? { ...node, className: MEASURED } : node));
}

function merged(before: readonly FlowNode[], scene: Scene, selected: ReadonlySet<string>): FlowNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  return [...scene.nodes.values()].map((one): FlowNode => {
    const old = known.get(one.id);
    const isSelected = selected.has(one.id);
    if (old?.data.scene === one && (old.selected ?? false) === isSelected) return old;
    // A node that is only redrawn stays where it is being dragged to.
    const position = old && old.data.scene.position === one.position ? old.position : one.position;
    // Until it is measured a node counts as large as it will be, about: only what is seen is drawn.
    const { width, height } = estimate(one);
    const guess = { initialWidth: width, initialHeight: height };
    return { ...guess, ...old, id: one.id, type: isBoundary(one.id) ? "boundary" : "card", position, data: { scene: one }, selected: isSelected };
  });
}
