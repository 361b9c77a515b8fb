/** A node seen from afar: its colour, its title, and how it is. */

import { useUpdateNodeInternals, type NodeProps } from "@xyflow/react";
import { memo, useEffect, useRef, useState } from "react";

import { estimate } from "../graph/estimate";
import type { SceneNode } from "../graph/scene";
import { text } from "../text/en";
import { useDistance } from "./distance";
import { categoryColour } from "./looks";
import { useNodeProblems, useNodeRun } from "./useNodeRun";
import type { FlowNode } from "./useScene";

/** Whether a node is drawn as seen from afar: also at first in a large graph, until it turns out what of it is seen. */
export function useIsFar(): boolean {
  const { isFar, isLarge } = useDistance();
  const [isSettled, setSettled] = useState(!isLarge);
  useEffect(() => {
    if (isSettled) return;
    const timer = window.setTimeout(() => setSettled(true), 100);
    return () => window.clearTimeout(timer);
  }, [isSettled]);
  return isFar || !isSettled;
}

/** Tell React Flow to look again where sockets are: it does so by itself only when a node changes its size. */
export function useSocketsAt(id: string, { type, rows, collapsed }: SceneNode, isNew: boolean): void {
  const update = useUpdateNodeInternals();
  const sockets = [...Object.keys(type.outputs), collapsed ? "collapsed" : "", ...rows.map(({ port }) => port)].join(" ");
  const seen = useRef(isNew ? "" : sockets);
  useEffect(() => {
    if (seen.current === sockets) return;
    seen.current = sockets;
    update(id);
  }, [update, id, sockets]);
}

export const FarCard = memo(function FarCard(props: NodeProps<FlowNode>) {
  return useDistance().isPicture ? <Unseen {...props} /> : <Seen {...props} />;
});

/** What takes the pointer and the focus where the picture shows the node. */
function Unseen({ id, data, height }: NodeProps<FlowNode>) {
  const { entry, type } = data.scene;
  const run = useNodeRun(id, entry.type.startsWith("#"));
  return (
    <article
      className="node is-unseen"
      style={{ height: height ?? estimate(data.scene).height }}
      aria-label={text.canvas.node(entry.title ?? type.title)}
      data-node={id}
      data-state={run?.state ?? ""}
    />
  );
}

function Seen({ id, data, selected, height }: NodeProps<FlowNode>) {
  const { entry, type } = data.scene;
  useSocketsAt(id, data.scene, false);
  const run = useNodeRun(id, entry.type.startsWith("#"));
  const problems = useNodeProblems(id);
  const state = [
    selected ? "is-selected" : "",
    problems.length > 0 ? "has-problems" : "",
    run ? `is-${run.state}` : "",
    entry.mode ? `is-${entry.mode}` : "",
  ];
  const title = entry.title ?? type.title;
  return (
    <article
      className={["node is-far", ...state].filter(Boolean).join(" ")}
      style={{ "--accent": categoryColour(type.category), height: height ?? estimate(data.scene).height }}
      aria-label={text.canvas.node(title)}
      data-node={id}
      data-state={run?.state ?? ""}
    >
      <h2>{title}</h2>
      <Ends scene={data.scene} />
    </article>
  );
}

/** Where links end: React Flow finds them by class and name. */
export function Ends({ scene: { type, rows } }: { readonly scene: SceneNode }) {
  return (
    <>
      <EndsAt side="source" ports={Object.keys(type.outputs).map((name) => `out:${name}`)} />
      <EndsAt side="target" ports={rows.filter(({ linked }) => linked).map(({ port }) => `in:${port}`)} />
    </>
  );
}

function EndsAt({ side, ports }: { readonly side: "source" | "target"; readonly ports: readonly string[] }) {
  return ports.map((port, index) => (
    <i
      key={port}
      className={`far-end ${side}`}
      data-handleid={port}
      data-handlepos={side === "source" ? "right" : "left"}
      style={{ top: `${((index + 0.5) / ports.length) * 100}%` }}
    />
  ));
}
