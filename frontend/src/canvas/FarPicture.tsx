/** A large graph from afar, drawn on one canvas element; the nodes themselves lie over it unseen, and take the pointer. */

import { useStoreApi } from "@xyflow/react";
import { useEffect, useMemo, useRef } from "react";

import { runAt } from "../graph/run";
import { linesOf } from "../graph/outline";
import type { Scene } from "../graph/scene";
import { useCheck } from "../store/check";
import { useServer } from "../store/server";
import { usePrefix } from "../store/workspace";
import { boxOf } from "./boxes";
import { paint, type Mark, type Picture } from "./farPaint";
import { onTheme } from "./palette";
import { useShownJob } from "./useNodeRun";
import type { FlowNode } from "./useScene";

/** So much is drawn beyond each edge: as long as one stays within, panning only moves the picture. */
const MARGIN = 400;
/** Milliseconds between two pictures where a run or a check tells something new. */
const NEWS = 200;

export function FarPicture({ scene, nodes }: { readonly scene: Scene; readonly nodes: readonly FlowNode[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const store = useStoreApi();
  const job = useShownJob();
  const prefix = usePrefix();
  const boxes = useMemo(() => new Map(nodes.map((node) => [node.id, boxOf(node)])), [nodes]);
  const lines = useMemo(() => linesOf(scene.links, scene.nodes, boxes), [scene, boxes]);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const picture: Picture = { nodes, boxes, lines, markOf: (node) => markOf(node, job, prefix) };
    return keepDrawn(element, picture, store);
  }, [nodes, boxes, lines, job, prefix, store]);

  return <canvas ref={canvas} className="far-picture" aria-hidden />;
}

function markOf({ id, selected, data }: FlowNode, job: string | null, prefix: string | null): Mark {
  if (selected) return "selected";
  if (prefix === null) return null;
  if ((useCheck.getState().byNode[`${prefix}${id}`] ?? []).length > 0) return "bad";
  const run = job === null ? undefined : useServer.getState().runs[job];
  const state = run && runAt(run, `${prefix}${id}`, data.scene.entry.type.startsWith("#"))?.state;
  return state === "failed" ? "bad" : state === "running" ? "running" : null;
}

/** Draw now, and again whenever the view, the theme, a run or a check changes. Returns what ends it. */
function keepDrawn(element: HTMLCanvasElement, picture: Picture, store: ReturnType<typeof useStoreApi>): () => void {
  let drawn = { x: 0, y: 0, zoom: 0, width: 0, height: 0 };
  let frame = 0;
  let later = 0;

  const draw = () => {
    frame = 0;
    const { transform, width, height } = store.getState();
    const [x, y, zoom] = transform;
    drawn = { x, y, zoom, width, height };
    element.style.width = `${width + 2 * MARGIN}px`;
    element.style.height = `${height + 2 * MARGIN}px`;
    element.style.transform = `translate(${-MARGIN}px, ${-MARGIN}px)`;
    paint(element, picture, { x: x + MARGIN, y: y + MARGIN, zoom }, width + 2 * MARGIN, height + 2 * MARGIN);
  };
  const drawSoon = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const drawLater = () => {
    if (later !== 0) return;
    later = window.setTimeout(() => {
      later = 0;
      drawSoon();
    }, NEWS);
  };
  const follow = () => {
    const { transform, width, height } = store.getState();
    const [x, y, zoom] = transform;
    const isSame = zoom === drawn.zoom && width === drawn.width && height === drawn.height;
    if (isSame && Math.abs(x - drawn.x) < MARGIN && Math.abs(y - drawn.y) < MARGIN) {
      element.style.transform = `translate(${x - drawn.x - MARGIN}px, ${y - drawn.y - MARGIN}px)`;
    } else drawSoon();
  };

  draw();
  const ends = [onTheme(drawSoon), store.subscribe(follow), useServer.subscribe(drawLater), useCheck.subscribe(drawLater)];
  return () => {
    cancelAnimationFrame(frame);
    window.clearTimeout(later);
    for (const end of ends) end();
  };
}
