/** The foot of a node: what it does now, or what will happen to it in the next run and why. */

import { memo } from "react";

import type { NodeRun } from "../graph/run";
import { LIGHT } from "../graph/weight";
import { text } from "../text/en";
import { useIsGoing, useNodePlan } from "./useNodeRun";

const PLANNED = {
  run: text.node.runs,
  memory: text.node.cached,
  disk: text.node.disk,
  saved: text.node.saved,
  maybe: text.node.maybe,
  "not needed": text.node.notNeeded,
} as const;

export const NodeStatus = memo(function NodeStatus({ id, run }: { readonly id: string; readonly run: NodeRun | undefined }) {
  const planned = useNodePlan(id);
  const isGoing = useIsGoing();
  if (run?.state === "running") {
    return (
      <footer className="node-foot is-running">
        <span>{run.total ? text.node.running(run.done ?? 0, run.total) : text.bar.running}</span>
      </footer>
    );
  }
  return (
    <footer className="node-foot">
      {run && isGoing ? (
        // What was planned before the run says nothing of a node that is through with it.
        <span className="plan plan-done">{text.node.done}</span>
      ) : (
        <span className={`plan plan-${planned?.action.replace(" ", "-") ?? "none"}`} title={planned?.reason}>
          {planned ? PLANNED[planned.action] : ""}
        </span>
      )}
      <span className="node-took" title={run ? explained(run) : undefined}>
        {run ? weighed(told(run), run) : ""}
      </span>
    </footer>
  );
});

/** The words with the bytes of the result, where it weighs something. */
function weighed(words: string, { size = 0 }: NodeRun): string {
  return size < LIGHT ? words : text.memory.beside(words, size);
}

function explained({ state, seconds = 0, loading = 0, size = 0, peak = 0 }: NodeRun): string {
  const more = [size >= LIGHT ? text.memory.result(size) : "", peak > 0 ? text.memory.peak(peak) : ""];
  return [text.node.outcomes[state](seconds, loading), ...more].filter(Boolean).join(" ");
}

function told(run: NodeRun): string {
  switch (run.state) {
    case "ran":
      return text.node.took(run.seconds ?? 0);
    case "failed":
      return text.node.failed;
    case "skipped":
      return text.node.skipped;
    case "cancelled":
      return text.node.cancelled;
    default:
      return text.node.reused;
  }
}
