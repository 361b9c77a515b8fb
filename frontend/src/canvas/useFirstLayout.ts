/** Places for the nodes of a workflow that has none: guessed at once, set right when they are measured. */

import { useNodesInitialized, useReactFlow } from "@xyflow/react";
import { useEffect, useRef } from "react";

import { positionOf } from "../graph/document";
import { moveNodes } from "../graph/edits";
import { estimate } from "../graph/estimate";
import { layout, type Size } from "../graph/layout";
import type { Scene } from "../graph/scene";
import { shownOf, useWorkspace, type Tab } from "../store/workspace";
import { fitting, viewOf } from "./views";

/** From here on only what is seen is drawn, and so not everything is measured. */
export const MANY = 150;

export function useFirstLayout(tab: Tab, scene: Scene): void {
  const { fitView, getNodes, setViewport } = useReactFlow();
  const measured = useNodesInitialized();
  const { settle, change } = useWorkspace.getState();
  const isPlaced = useRef(true);
  const { id, fresh } = tab;

  const isMany = scene.nodes.size > MANY;
  useEffect(() => {
    if (!fresh || scene.nodes.size === 0) return;
    const document = shownOf(tab);
    const unplaced = [...scene.nodes.keys()].filter((node) => positionOf(document, node) === null);
    if (unplaced.length === 0) return;
    isPlaced.current = false;
    place(new Map([...scene.nodes].map(([node, one]) => [node, estimate(one)])));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only once for a workflow that was just opened
  }, [fresh, id]);

  useEffect(() => {
    if (!fresh || !(measured || isMany) || scene.nodes.size === 0) return;
    if (!isPlaced.current && !isMany) {
      place(
        new Map(getNodes().map((node) => [node.id, { width: node.measured?.width ?? 272, height: node.measured?.height ?? 200 }])),
      );
    }
    change(id, { fresh: false });
    // A large graph is brought into view as it is placed: nobody waits until it is drawn.
    if (isMany) return;
    const timer = window.setTimeout(() => void fitView({ ...fitting(), duration: 0 }), 30);
    return () => window.clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- as above
  }, [measured, isMany, id]);

  function place(sizes: ReadonlyMap<string, Size>): void {
    const placed = layout(sizes, scene.links.map(({ from, to }) => ({ from, to })));
    settle(id, (document) => moveNodes(document, placed));
    if (isMany) void setViewport(viewOf([...scene.nodes.values()], placed));
  }
}
