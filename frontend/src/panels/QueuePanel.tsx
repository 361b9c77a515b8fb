/** The jobs: what runs, what waits, and what is over. */

import { ArrowUpToLine, ListVideo, RotateCcw, Square, Trash2, Workflow } from "lucide-react";
import { useMemo } from "react";

import type { Job } from "../api/calls";
import { progressOf } from "../graph/run";
import { ago } from "../shell/ago";
import { IconButton } from "../shell/IconButton";
import { cancel, forget, openJob, retry, runNext } from "../store/actions";
import { picturesOf } from "../store/pictures";
import { FINAL, listed, useServer } from "../store/server";
import { text } from "../text/en";
import { Empty } from "./Empty";

export function QueuePanel() {
  const jobs = useServer((server) => server.jobs);
  const ordered = useMemo(() => {
    const all = listed(jobs);
    const alive = all.filter(({ state }) => !FINAL.has(state)).sort((a, b) => a.number - b.number);
    return [...alive, ...all.filter(({ state }) => FINAL.has(state))];
  }, [jobs]);
  if (ordered.length === 0) return <Empty icon={ListVideo} title={text.queue.empty} lead={text.queue.emptyLead} />;
  return (
    <ul className="jobs">
      {ordered.map((job) => (
        <JobRow key={job.id} job={job} />
      ))}
    </ul>
  );
}

function JobRow({ job }: { readonly job: Job }) {
  const run = useServer(({ runs }) => runs[job.id]);
  const isOver = FINAL.has(job.state);
  const part = job.state === "running" && run ? progressOf(run) : 0;
  const picture = picturesOf(job)[0];
  const problem = job.problems[0];
  return (
    <li className={`job is-${job.state}`} data-job={job.number} data-state={job.state}>
      <button type="button" className="job-main" title={text.queue.open} onClick={() => void openJob(job)}>
        <span className="job-picture">{picture ? <img src={picture.url} alt="" loading="lazy" /> : <Workflow size={18} aria-hidden />}</span>
        <span className="job-text">
          <strong>{job.title || text.untitled}</strong>
          <span className="job-state">
            <i /> {text.queue.states[job.state]}
            {isOver && job.finished !== null && ` · ${ago(job.finished)}`}
          </span>
          {problem && job.state === "failed" && <span className="job-problem">{problem.message}</span>}
        </span>
      </button>
      <span className="job-tools">
        {job.state === "queued" && <IconButton label={text.queue.first} icon={ArrowUpToLine} onClick={() => void runNext(job.id)} />}
        {!isOver && <IconButton label={text.queue.cancel} icon={Square} onClick={() => void cancel(job.id)} />}
        {isOver && <IconButton label={text.queue.retry} icon={RotateCcw} onClick={() => void retry(job.id)} />}
        {isOver && <IconButton label={text.queue.forget} icon={Trash2} onClick={() => void forget(job.id)} />}
      </span>
      {job.state === "running" && <span className="job-progress" style={{ "--part": part }} />}
    </li>
  );
}
