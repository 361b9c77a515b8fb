/** The order of the queue, whether it is paused, and what is done with it. */

import { create } from "zustand";

import { changeJob, getQueue, getSystem, setPaused, type JobChange } from "../api/calls";
import { isAlive } from "../graph/queue";
import { tellError } from "./errors";
import { listed, putJobs, useServer } from "./server";

interface Queue {
  readonly paused: boolean;
  /** The jobs that wait, in the order in which they start. */
  readonly waiting: readonly string[];
  /** Whether whoever looks may pause it. */
  readonly isOwner: boolean;
}

export const useQueue = create<Queue>()(() => ({ paused: false, waiting: [], isOwner: false }));

const DELAY = 120;

export async function refreshQueue(): Promise<void> {
  const { paused, waiting } = await getQueue();
  useQueue.setState({ paused, waiting });
}

/** Follow the queue: what starts, ends or comes changes its order. */
export function watchQueue(): void {
  let seen = "";
  let timer = 0;
  const look = () => {
    const { jobs, status } = useServer.getState();
    if (status !== "ready") return;
    const now = [...jobs.values()].filter(isAlive).map(({ id, state }) => `${id} ${state}`).join();
    if (now === seen) return;
    seen = now;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void refreshQueue().catch(tellError), DELAY);
  };
  useServer.subscribe(look);
  look();
}

/** Whether the queue is paused, and whether one may pause it. */
export async function learnQueue(): Promise<void> {
  const { user } = await getSystem();
  useQueue.setState({ isOwner: user === "owner" });
  await refreshQueue();
}

export async function pause(paused: boolean): Promise<void> {
  try {
    useQueue.setState({ paused: (await setPaused(paused)).paused });
  } catch (error) {
    tellError(error);
  }
}

/** Change a waiting job: its place, its priority, or whether it is held. */
export async function changeWaiting(id: string, change: JobChange): Promise<void> {
  try {
    putJobs([await changeJob(id, change)]);
    await refreshQueue();
  } catch (error) {
    tellError(error);
  }
}

/** One place up or down among those that wait. */
export function moveBy(id: string, by: -1 | 1): void {
  const { waiting } = useQueue.getState();
  const other = waiting[waiting.indexOf(id) + by];
  if (other !== undefined) void changeWaiting(id, { move: by < 0 ? { before: other } : { after: other } });
}

export function waitingJobs(): string[] {
  return listed(useServer.getState().jobs)
    .filter(({ state }) => state === "queued" || state === "held")
    .map(({ id }) => id);
}
