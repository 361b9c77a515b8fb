/** Sweeps: groups of jobs, submitted and looked at together. */

import { useEffect, useMemo } from "react";

import { cancelGroup, getGroup, submitGroup, type Job } from "../api/calls";
import { withAxes, type Choice } from "../graph/axes";
import type { Json } from "../graph/json";
import { withFixedSeeds } from "../graph/seeds";
import type { Mode } from "../graph/sweep";
import { text } from "../text/en";
import { drawSeed } from "./actions";
import { tellError } from "./errors";
import { putJobs, putNewJob, useServer } from "./server";
import { useUi } from "./ui";
import { activeTab } from "./workspace";

export interface Axis {
  readonly choice: Choice;
  readonly values: readonly Json[];
}

/** Submit the workflow at hand once for every cell, and open the sheet. Whether it was taken. */
export async function sweep(axes: readonly Axis[], mode: Mode): Promise<boolean> {
  const tab = activeTab();
  if (tab === undefined) return false;
  const { catalogue } = useServer.getState();
  // Cells differ in their axes and in nothing else: a random seed is drawn once for all of them.
  const fixed = withFixedSeeds(tab.history.present, catalogue, drawSeed());
  const { document, names } = withAxes(fixed, axes.map(({ choice }) => choice));
  const named = axes.map(({ values }, index) => ({ input: names[index] ?? "", values }));
  try {
    const group = await submitGroup({ workflow: document, axes: named, mode, title: tab.title || text.untitled });
    for (const job of group.jobs) putNewJob(job);
    useUi.setState({ dialog: null, sheet: group.id });
    return true;
  } catch (error) {
    tellError(error, text.notice.notRun);
    return false;
  }
}

export async function cancelSweep(id: string): Promise<void> {
  try {
    putJobs((await cancelGroup(id)).jobs);
  } catch (error) {
    tellError(error);
  }
}

/** The jobs of a group in the order of its cells. Those that the page does not know yet are asked for once. */
export function useGroup(id: string | null): Job[] {
  const jobs = useServer((server) => server.jobs);
  useEffect(() => {
    if (id === null) return;
    getGroup(id).then(({ jobs: all }) => {
      const { jobs: known } = useServer.getState();
      putJobs(all.filter((job) => !known.has(job.id)));
    }, tellError);
  }, [id]);
  return useMemo(() => [...jobs.values()].filter(({ group }) => id !== null && group === id).sort((a, b) => a.number - b.number), [jobs, id]);
}
