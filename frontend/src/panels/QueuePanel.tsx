/** The jobs: what runs, what waits in its order, and what is over, day by day. */

import { ListVideo, ListX, Pause, Play, TriangleAlert } from "lucide-react";
import { useEffect, useMemo, useState } from "react";

import type { Job } from "../api/calls";
import { aliveInOrder, byDay, isAlive, linesOf, secondsLeft, usualSeconds, type Line } from "../graph/queue";
import { progressOf } from "../graph/run";
import { dayOf } from "../shell/ago";
import { IconButton } from "../shell/IconButton";
import { cancel } from "../store/actions";
import { tellError } from "../store/errors";
import { learnQueue, pause, useQueue, waitingJobs } from "../store/queue";
import { listed, useServer } from "../store/server";
import { text } from "../text/en";
import { Empty } from "./Empty";
import { GroupRow } from "./GroupRow";
import { JobRow } from "./JobRow";

const t = text.queue;

export function QueuePanel() {
  const jobs = useServer((server) => server.jobs);
  const { paused, waiting, isOwner } = useQueue();
  const [isFailedOnly, setFailedOnly] = useState(false);
  useEffect(() => {
    learnQueue().catch(tellError);
  }, []);
  const all = useMemo(() => listed(jobs), [jobs]);
  const alive = useMemo(() => linesOf(aliveInOrder(all, waiting)), [all, waiting]);
  const over = useMemo(() => {
    const groupsAlive = new Set(all.filter(isAlive).flatMap(({ group }) => (group ? [group] : [])));
    const found = all.filter((job) => !isAlive(job) && !(job.group && groupsAlive.has(job.group)));
    return byDay(isFailedOnly ? found.filter(({ state }) => BAD.has(state)) : found, dayOf);
  }, [all, isFailedOnly]);
  const eta = useEta(all, alive, paused);
  const waits = all.filter(({ state }) => state === "queued" || state === "held").length;

  return (
    <div className="jobs">
      <div className="queue-tools">
        <span className="quiet">{paused ? t.paused : t.waits(waits)}</span>
        {isOwner && <IconButton label={paused ? t.resume : t.pause} icon={paused ? Play : Pause} pressed={paused} onClick={() => void pause(!paused)} />}
        <IconButton label={t.cancelAll} icon={ListX} disabled={waits === 0} onClick={() => waitingJobs().forEach((id) => void cancel(id))} />
        <IconButton label={t.failedOnly} icon={TriangleAlert} pressed={isFailedOnly} onClick={() => setFailedOnly(!isFailedOnly)} />
      </div>
      {all.length === 0 && <Empty icon={ListVideo} title={t.empty} lead={t.emptyLead} />}
      {!isFailedOnly && <Lines lines={alive} eta={eta} />}
      {isFailedOnly && over.length === 0 && <p className="quiet queue-none">{t.noneFailed}</p>}
      {over.map(({ day, items }) => (
        <section key={day}>
          <h3 className="day">{day}</h3>
          <Lines lines={linesOf(items)} />
        </section>
      ))}
    </div>
  );
}

const BAD: ReadonlySet<string> = new Set(["failed", "quarantined"]);

function Lines({ lines, eta }: { readonly lines: readonly Line<Job>[]; readonly eta?: ReadonlyMap<string, number> }) {
  return (
    <ul>
      {lines.map(({ key, group, jobs }) =>
        group === null ? <JobRow key={key} job={jobs[0]} eta={eta?.get(key) ?? null} /> : <GroupRow key={key} id={group} />,
      )}
    </ul>
  );
}

/** When the jobs that run and wait will be over, in seconds, where earlier runs tell. */
function useEta(all: readonly Job[], alive: readonly Line<Job>[], paused: boolean): ReadonlyMap<string, number> {
  const [now, setNow] = useState(() => Date.now() / 1_000);
  const isBusy = alive.length > 0;
  useEffect(() => {
    if (!isBusy) return;
    const timer = window.setInterval(() => setNow(Date.now() / 1_000), 1_000);
    return () => window.clearInterval(timer);
  }, [isBusy]);
  const runs = useServer((server) => server.runs);
  return useMemo(() => {
    const found = new Map<string, number>();
    let before: number | null = 0;
    for (const { key, jobs } of alive) {
      for (const job of jobs) {
        const run = runs[job.id];
        const usual = usualSeconds(all, job.title);
        const isRunning = job.state === "running";
        const own = isRunning ? secondsLeft(job, run ? progressOf(run) : 0, usual, now) : usual;
        before = before === null || own === null || (paused && !isRunning) || job.state === "held" ? null : before + own;
      }
      if (before !== null) found.set(key, before);
    }
    return found;
  }, [all, alive, runs, now, paused]);
}
