/** What the run that the canvas shows did with a node. */

import { useServer } from "../store/server";
import { useWorkspace } from "../store/workspace";
import type { NodeRun } from "../graph/run";

export function useShownJob(): string | null {
  return useWorkspace(({ tabs, active }) => tabs.find(({ id }) => id === active)?.job ?? null);
}

export function useNodeRun(id: string): NodeRun | undefined {
  const job = useShownJob();
  return useServer(({ runs }) => (job === null ? undefined : runs[job]?.nodes[id]));
}
