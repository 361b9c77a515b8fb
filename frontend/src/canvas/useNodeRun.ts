/** What the run that the canvas shows did with a node, and what the server says of it. */

import { useShallow } from "zustand/react/shallow";

import type { Problem } from "../api/client";
import { runAt, type NodeRun } from "../graph/run";
import { useCheck } from "../store/check";
import { FINAL, useServer } from "../store/server";
import { usePrefix, useWorkspace } from "../store/workspace";

export function useShownJob(): string | null {
  return useWorkspace(({ tabs, active }) => tabs.find(({ id }) => id === active)?.job ?? null);
}

/** Whether the run that is shown goes on. */
export function useIsGoing(): boolean {
  const job = useShownJob();
  return useServer(({ jobs }) => job !== null && !FINAL.has(jobs.get(job)?.state ?? "done"));
}

export function useNodeRun(id: string, isSubgraph = false): NodeRun | undefined {
  const job = useShownJob();
  const prefix = usePrefix();
  return useServer(
    useShallow(({ runs }) => {
      const run = job === null || prefix === null ? undefined : runs[job];
      return run && runAt(run, `${prefix}${id}`, isSubgraph);
    }),
  );
}

/** The problems of a node, and of the nodes inside it. */
export function useNodeProblems(id: string): readonly Problem[] {
  const prefix = usePrefix();
  return useCheck(({ byNode }) => (prefix === null ? NONE : (byNode[`${prefix}${id}`] ?? NONE)));
}

export function useNodePlan(id: string) {
  const prefix = usePrefix();
  return useCheck(({ plan }) => (prefix === null ? undefined : plan[`${prefix}${id}`]));
}

const NONE: readonly never[] = [];
