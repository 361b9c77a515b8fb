/** What the server told: the catalogue, names for menus, jobs and what their runs do. */

import { create } from "zustand";

import { ApiError } from "../api/client";
import { getCatalogue, getJob, getJobs, getVocabulary, type Job, type Vocabulary } from "../api/calls";
import { listen, replay, type Message } from "../api/events";
import { readCatalogue, type Catalogue } from "../graph/catalogue";
import type { Knowledge } from "../graph/links";
import { beginRun, follow, type Run, type RunEvent } from "../graph/run";
import { tellError } from "./errors";
import { useWorkspace } from "./workspace";

export const FINAL: ReadonlySet<string> = new Set(["done", "failed", "cancelled", "quarantined"]);
const RECENT = 60;
const SHOWN = 5_000;

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

/** What links are judged by. */
export function knowledge(): Knowledge {
  const { catalogue, vocabulary } = useServer.getState();
  return { catalogue, classes: vocabulary.classes };
}

/** Learn what nodes there are, and listen from then on. */
export async function startServer(): Promise<void> {
  try {
    const [nodes, vocabulary] = await Promise.all([getCatalogue(), getVocabulary()]);
    useServer.setState({ catalogue: readCatalogue(nodes), vocabulary, status: "ready" });
  } catch (error) {
    useServer.setState({ status: error instanceof ApiError && error.status === 401 ? "logged out" : "away" });
    return;
  }
  await refreshJobs().catch(tellError);
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

/** A job that was just submitted: events may have told more of it than the answer does. */
export function putNewJob(job: Job): void {
  // Who listened before it was submitted hears all of it.
  if (useServer.getState().connected) whole.add(job.id);
  if (!told.has(job.id)) putJobs([job]);
}

/** The jobs that are shown: looks at values are no work of their own. */
export function listed(jobs: ReadonlyMap<string, Job>): Job[] {
  return [...jobs.values()].filter(({ hidden }) => !hidden);
}

export function dropJob(id: string): void {
  const jobs = new Map(useServer.getState().jobs);
  jobs.delete(id);
  useServer.setState({ jobs });
}

/** Jobs that were heard from their first event on, and those that are being caught up with. */
const whole = new Set<string>();
const replaying = new Set<string>();

/** Hear all that a job did, also what this page missed. The replay goes on until the job is over. */
export function catchUp(job: string): void {
  if (whole.has(job) || replaying.has(job)) return;
  replaying.add(job);
  useServer.setState(({ runs }) => ({ runs: { ...runs, [job]: beginRun(job) } }));
  replay(
    job,
    (event) => took(event.job, event),
    () => replaying.delete(job),
  );
}

/** After a broken connection: the jobs that are shown may have done something meanwhile. */
function catchUpAll(): void {
  whole.clear();
  for (const { job } of useWorkspace.getState().tabs) if (job !== null) catchUp(job);
}

function take(message: Message): void {
  if (message.kind === "snapshot") {
    // After a broken connection some events may have been missed.
    putJobs(message.jobs);
    refreshJobs().catch(tellError);
    catchUpAll();
    return;
  }
  // One source for each job, or what comes late would seem to have been heard.
  if (!replaying.has(message.job)) {
    if (!useServer.getState().runs[message.job] && message.seq <= 1) whole.add(message.job);
    took(message.job, message);
  }
  if (BEGUN.has(message.kind)) begun(message.job);
  if (message.kind === "state") void stateChanged(message.job, message.state, message.seq);
}

function took(job: string, event: RunEvent): void {
  const { runs } = useServer.getState();
  const before = runs[job] ?? beginRun(job);
  const after = follow(before, event);
  if (after === before && runs[job]) return;
  const lost = before.nodes[event.node ?? ""]?.preview;
  // The picture before is shown until the next one is decoded.
  if (event.kind === "preview" && lost?.startsWith("blob:")) window.setTimeout(() => URL.revokeObjectURL(lost), SHOWN);
  useServer.setState({ runs: { ...runs, [job]: after } });
}

/** Events of a run that say that it has begun: no event of its own does. */
const BEGUN: ReadonlySet<string> = new Set(["planned", "hashing", "node_started", "progress"]);

function begun(id: string): void {
  const job = useServer.getState().jobs.get(id);
  if (job?.state === "queued") putJobs([{ ...job, state: "running", started: Date.now() / 1_000 }]);
}

/** The number of the last event that told a job's state: an answer that was on its way may be older. */
const told = new Map<string, number>();

async function stateChanged(id: string, state: Job["state"], seq: number): Promise<void> {
  told.set(id, seq);
  const known = useServer.getState().jobs.get(id);
  if (known && !FINAL.has(state)) {
    putJobs([{ ...known, state }]);
    return;
  }
  try {
    const job = await getJob(id);
    if (told.get(id) !== seq) return;
    // The event is newer than what the database may say yet.
    putJobs([FINAL.has(job.state) ? job : { ...job, state }]);
  } catch {
    return; // it was forgotten meanwhile
  }
  if (FINAL.has(state)) useServer.setState(({ finished }) => ({ finished: finished + 1 }));
}
