/** What the server told: the catalogue, names for menus, jobs and what their runs do. */

import { create } from "zustand";

import { ApiError } from "../api/client";
import { getCatalogue, getJob, getJobs, getVocabulary, type Job, type Vocabulary } from "../api/calls";
import { listen, replay, type Message } from "../api/events";
import { readCatalogue, type Catalogue } from "../graph/catalogue";
import { beginRun, follow, type Run, type RunEvent } from "../graph/run";

export const FINAL: ReadonlySet<string> = new Set(["done", "failed", "cancelled", "quarantined"]);
const RECENT = 60;

interface Server {
  readonly status: "starting" | "ready" | "logged out" | "away";
  readonly connected: boolean;
  readonly catalogue: Catalogue;
  readonly vocabulary: Vocabulary;
  readonly jobs: ReadonlyMap<string, Job>;
  readonly runs: Readonly<Record<string, Run>>;
  /** Grows when what the plan depends on has changed: a job ended. */
  readonly finished: number;
}

export const useServer = create<Server>()(() => ({
  status: "starting",
  connected: false,
  catalogue: new Map(),
  vocabulary: { choices: {}, files: {}, classes: {} },
  jobs: new Map(),
  runs: {},
  finished: 0,
}));

/** Learn what nodes there are, and listen from then on. */
export async function startServer(): Promise<void> {
  try {
    const [nodes, vocabulary] = await Promise.all([getCatalogue(), getVocabulary()]);
    useServer.setState({ catalogue: readCatalogue(nodes), vocabulary, status: "ready" });
  } catch (error) {
    useServer.setState({ status: error instanceof ApiError && error.status === 401 ? "logged out" : "away" });
    return;
  }
  await refreshJobs();
  listen(take, (connected) => useServer.setState({ connected }));
}

/** Names of files and choices may have changed: a picture was uploaded, or a worker got ready with more packs. */
export async function refreshVocabulary(): Promise<void> {
  const [nodes, vocabulary] = await Promise.all([getCatalogue(), getVocabulary()]);
  const { catalogue } = useServer.getState();
  // The same catalogue again must not redraw all nodes.
  useServer.setState(nodes.length === catalogue.size ? { vocabulary } : { catalogue: readCatalogue(nodes), vocabulary });
}

export async function refreshJobs(): Promise<void> {
  putJobs(await getJobs(RECENT));
}

export function putJobs(jobs: readonly Job[]): void {
  const all = new Map(useServer.getState().jobs);
  for (const job of jobs) all.set(job.id, job);
  const newest = [...all].sort(([, a], [, b]) => b.number - a.number);
  useServer.setState({ jobs: new Map(newest) });
}

export function dropJob(id: string): void {
  const jobs = new Map(useServer.getState().jobs);
  jobs.delete(id);
  useServer.setState({ jobs });
}

/** Hear what a job did before this page was loaded. */
export function catchUp(job: string): void {
  if (useServer.getState().runs[job]?.seq) return;
  replay(job, (event) => took(event.job, event));
}

function take(message: Message): void {
  if (message.kind === "snapshot") {
    // After a broken connection some events may have been missed.
    putJobs(message.jobs);
    void refreshJobs();
    return;
  }
  took(message.job, message);
  if (message.kind === "state") void stateChanged(message.job, message.state);
}

function took(job: string, event: RunEvent): void {
  const { runs } = useServer.getState();
  const before = runs[job] ?? beginRun(job);
  const after = follow(before, event);
  if (after === before && runs[job]) return;
  const lost = before.nodes[event.node ?? ""]?.preview;
  if (event.kind === "preview" && lost?.startsWith("blob:")) URL.revokeObjectURL(lost);
  useServer.setState({ runs: { ...runs, [job]: after } });
}

async function stateChanged(id: string, state: Job["state"]): Promise<void> {
  const known = useServer.getState().jobs.get(id);
  if (known && !FINAL.has(state)) {
    putJobs([{ ...known, state }]);
    return;
  }
  try {
    putJobs([await getJob(id)]);
  } catch {
    return; // it was forgotten meanwhile
  }
  if (FINAL.has(state)) useServer.setState(({ finished }) => ({ finished: finished + 1 }));
}
