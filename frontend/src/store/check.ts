/** Problems and plan of the workflow at hand, asked of the server as it changes. */

import { create } from "zustand";

import { check, type Check, type PlannedNode } from "../api/calls";
import type { Problem } from "../api/client";
import { ApiError } from "../api/client";
import type { Document } from "../graph/document";
import { withSubgraphs } from "../graph/plan";
import { plainPath } from "../graph/run";
import { useServer } from "./server";
import { HOME, useWorkspace } from "./workspace";

const DELAY = 250;

interface Checked {
  readonly tab: string;
  readonly problems: readonly Problem[];
  /** By the path of the node: "sample", "small/resized". */
  readonly byNode: Readonly<Record<string, readonly Problem[]>>;
  readonly plan: Readonly<Record<string, PlannedNode>>;
  readonly notes: readonly string[];
  readonly pending: boolean;
}

const NOTHING: Checked = { tab: HOME, problems: [], byNode: {}, plan: {}, notes: [], pending: false };

export const useCheck = create<Checked>()(() => NOTHING);

/** Ask anew whenever the workflow, or what the server keeps, has changed. */
export function watchProblems(): void {
  let timer = 0;
  let asking = new AbortController();
  let asked: { document: Document; finished: number } | null = null;
  const look = () => {
    const { tabs, active } = useWorkspace.getState();
    const document = tabs.find(({ id }) => id === active)?.history.present;
    const { status, finished } = useServer.getState();
    if (document === undefined) {
      asked = null;
      useCheck.setState(NOTHING);
      return;
    }
    if (status !== "ready" || (asked?.document === document && asked.finished === finished)) return;
    asked = { document, finished };
    asking.abort();
    window.clearTimeout(timer);
    if (useCheck.getState().tab !== active) useCheck.setState({ ...NOTHING, tab: active });
    useCheck.setState({ pending: true });
    timer = window.setTimeout(() => {
      asking = new AbortController();
      void ask(active, document, asking.signal);
    }, DELAY);
  };
  useWorkspace.subscribe(look);
  useServer.subscribe(look);
  look();
}

async function ask(tab: string, document: Document, signal: AbortSignal): Promise<void> {
  if (Object.keys(document.nodes).length === 0) {
    useCheck.setState({ ...NOTHING, tab });
    return;
  }
  try {
    put(tab, await check(document, signal));
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiError)) {
      // Nobody was reached: what was known stays, and the next change asks again.
      useCheck.setState({ pending: false });
      return;
    }
    // A document whose structure is broken is refused as a whole, with its problems.
    put(tab, { problems: [...error.problems], plan: {}, notes: [] });
  }
}

function put(tab: string, { problems, plan, notes }: Check): void {
  const byNode: Record<string, Problem[]> = {};
  for (const problem of problems) {
    // What is wrong inside a subgraph is told at the nodes around it too.
    const parts = plainPath(problem.node ?? "").split("/");
    parts.forEach((_, index) => (byNode[parts.slice(0, index + 1).join("/")] ??= []).push(problem));
  }
  useCheck.setState({ tab, problems, byNode, plan: withSubgraphs(plan), notes, pending: false });
}
