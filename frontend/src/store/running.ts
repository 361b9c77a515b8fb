/** Running more than once: repetitions with other seeds, and a run after every change. */

import { create } from "zustand";

import { submit } from "../api/calls";
import type { Document } from "../graph/document";
import { advanced, withDrawnSeeds, withNextSeeds, withRandomSeeds } from "../graph/seeds";
import { text } from "../text/en";
import { drawSeed, run } from "./actions";
import { tellError } from "./errors";
import { useCheck } from "./check";
import { keepPreference, preference } from "./preferences";
import { FINAL, putNewJob, useServer } from "./server";
import { activeTab, useWorkspace, type Tab } from "./workspace";

export type Seeds = "random" | "next";

interface Running {
  readonly times: number;
  readonly seeds: Seeds;
  /** Whether the workflow at hand runs after each change. */
  readonly onChange: boolean;
}

export const useRunning = create<Running>()(() => ({ times: 4, seeds: "random", onChange: preference("run-on-change") === "yes" }));

export function setRunOnChange(onChange: boolean): void {
  keepPreference("run-on-change", onChange ? "yes" : "no");
  useRunning.setState({ onChange });
}

const CALM = 600;
/** The jobs that a tab has still to show, one after the other. */
const following = new Map<string, string[]>();

/** Run the workflow some times, each with other seeds. */
export async function runTimes(times: number, seeds: Seeds): Promise<void> {
  const tab = activeTab();
  if (tab === undefined) return;
  const { catalogue } = useServer.getState();
  const document = tab.history.present;
  const random = withRandomSeeds(document, catalogue);
  const jobs: string[] = [];
  try {
    for (let number = 0; number < times; number += 1) {
      const workflow = seeds === "random" ? withDrawnSeeds(random, catalogue, drawSeed) : withNextSeeds(document, catalogue, number);
      const job = await submit({ workflow, title: tab.title || text.untitled });
      putNewJob(job);
      jobs.push(job.id);
      if (number === 0) useWorkspace.getState().change(tab.id, { job: job.id });
    }
  } catch (error) {
    tellError(error, text.notice.notRun);
  }
  useWorkspace.getState().advance(tab.id, (one) => advanced(one, catalogue, jobs.length));
  following.set(tab.id, jobs);
}

/** Show the next repetition when one is over, and run what was changed. */
export function watchRunning(): void {
  let timer = 0;
  // What ran of each tab, or was there when it was first seen: to open one, or to go to it, is no change.
  const ran = new Map<string, Document>();
  const look = () => {
    const tab = activeTab();
    if (tab === undefined) return;
    if (isOver(tab)) showNext(tab);
    const before = ran.get(tab.id);
    if (before === undefined || !useRunning.getState().onChange) {
      ran.set(tab.id, tab.history.present);
      return;
    }
    if (!differs(before, tab.history.present)) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      const now = activeTab();
      const { problems, pending } = useCheck.getState();
      if (now === undefined || !isOver(now) || pending || problems.length > 0 || !useRunning.getState().onChange) return;
      // One may have gone to another tab meanwhile.
      if (now.id !== tab.id) return;
      ran.set(now.id, now.history.present);
      // A seed that goes on after the run is no change that wants another one.
      void run().then(() => {
        const after = activeTab();
        if (after?.id === now.id) ran.set(after.id, after.history.present);
      });
    }, CALM);
  };
  useServer.subscribe((now, before) => {
    if (now.jobs !== before.jobs) look();
  });
  useCheck.subscribe(look);
  useWorkspace.subscribe(look);
  useRunning.subscribe(look);
}

/** Whether nothing of a tab runs. */
function isOver({ job }: Tab): boolean {
  return job === null || FINAL.has(useServer.getState().jobs.get(job)?.state ?? "done");
}

function showNext(tab: Tab): void {
  const jobs = following.get(tab.id);
  const index = jobs?.indexOf(tab.job ?? "") ?? -1;
  if (jobs === undefined) return;
  const next = index < 0 ? undefined : jobs[index + 1];
  if (next === undefined) return;
  useWorkspace.getState().change(tab.id, { job: next });
}

/** Whether a run would do something else: places and notes are nobody's business. */
function differs(a: Document, b: Document): boolean {
  return a.nodes !== b.nodes || a.inputs !== b.inputs || a.outputs !== b.outputs || a.subgraphs !== b.subgraphs;
}
