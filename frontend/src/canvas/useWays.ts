/** Another way point on a link: at a double click, or as the menu and the keyboard ask. */

import { useReactFlow } from "@xyflow/react";
import { useCallback, useEffect } from "react";

import { leading, type WayWish } from "../commands/ways";
import type { Point } from "../graph/document";
import { insertPoint } from "../graph/reroutes";
import type { Scene, SceneLink } from "../graph/scene";
import { useWorkspace } from "../store/workspace";
import { snapped } from "./snapping";

export function useWays(scene: Scene) {
  const { screenToFlowPosition } = useReactFlow();
  const add = useCallback(
    (link: SceneLink, screen: Point | null) => {
      const line = lineOf(link.id);
      if (line === null) return;
      const length = line.getTotalLength();
      const at = snapped(screen === null ? line.getPointAtLength(length / 2) : screenToFlowPosition(screen, { snapToGrid: false }));
      const ends = [line.getPointAtLength(0), line.getPointAtLength(length)] as const;
      useWorkspace.getState().edit((document) => insertPoint(document, link, at, ends));
    },
    [screenToFlowPosition],
  );

  useEffect(() => {
    const onAdd = (event: Event) => {
      const { to, screen } = (event as CustomEvent<WayWish>).detail;
      const link = scene.links.find((one) => one.to.node === to.node && one.to.port === to.port);
      if (link) add(link, screen);
    };
    leading.addEventListener("add", onAdd);
    return () => leading.removeEventListener("add", onAdd);
  }, [scene, add]);

  return useCallback(
    (id: string, screen: Point) => {
      const link = scene.links.find((one) => one.id === id);
      if (link) add(link, screen);
    },
    [scene, add],
  );
}

/** The line of a link as it is drawn, in the canvas's own coordinates. */
function lineOf(id: string): SVGPathElement | null {
  return document.querySelector<SVGPathElement>(`.react-flow__edge[data-id="${CSS.escape(id)}"] .react-flow__edge-path`);
}
