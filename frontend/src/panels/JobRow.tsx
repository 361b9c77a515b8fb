/** One job in the queue. One that waits can be dragged to another place. */

import { Crosshair, RotateCcw, Square, Trash2, Workflow } from "lucide-react";
import { useState, type DragEvent } from "react";

import type { Job } from "../api/calls";
import { progressOf } from "../graph/run";
import { ago } from "../shell/ago";
import { IconButton } from "../shell/IconButton";
import { cancel, forget, openJob, retry } from "../store/actions";
import { goToFailure } from "../store/failure";
import { picturesOf } from "../store/pictures";
import { changeWaiting, useQueue } from "../store/queue";
import { FINAL, useServer } from "../store/server";
import { text } from "../text/en";
import { WaitingMenu } from "./WaitingMenu";

const t = text.queue;
const DRAGGED = "application/x-nodegraph-job";

export function JobRow({ job, eta }: { readonly job: Job; readonly eta: number | null }) {
  const run = useServer(({ runs }) => runs[job.id]);
  const isOver = FINAL.has(job.state);
  const isWaiting = job.state === "queued" || job.state === "held";
  const part = job.state === "running" && run ? progressOf(run) : 0;
  const picture = picturesOf(job)[0];
  const problem = job.problems[0];
  const { isTarget, ...drag } = useDrag(job);
  return (
    <li
      className={`job is-${job.state} ${isTarget ? "is-target" : ""}`}
      data-job={job.number}
      data-state={job.state}
      {...(isWaiting ? drag : {})}
    >
      <button type="button" className="job-main" title={t.open} onClick={() => void openJob(job)}>
        <span className="job-picture">{picture ? <img src={picture.url} alt="" loading="lazy" /> : <Workflow size={18} aria-hidden />}</span>
        <span className="job-text">
          <strong>{job.title || text.untitled}</strong>
          <span className="job-state">
            <i /> {t.states[job.state]}
            <When job={job} eta={eta} />
          </span>
          {problem && job.state === "failed" && <span className="job-problem">{problem.message}</span>}
        </span>
      </button>
      <span className="job-tools">
        {isWaiting && <WaitingMenu job={job} />}
        {problem?.node && isOver && <IconButton label={t.goTo(problem.node)} icon={Crosshair} onClick={() => void goToFailure(job)} />}
        {!isOver && <IconButton label={t.cancel} icon={Square} onClick={() => void cancel(job.id)} />}
        {isOver && <IconButton label={t.retry} icon={RotateCcw} onClick={() => void retry(job.id)} />}
        {isOver && <IconButton label={t.forget} icon={Trash2} onClick={() => void forget(job.id)} />}
      </span>
      {job.state === "running" && <span className="job-progress" style={{ "--part": part }} />}
    </li>
  );
}

/** When it was over, or will be; and after how many others it starts. */
function When({ job, eta }: { readonly job: Job; readonly eta: number | null }) {
  const place = useQueue(({ waiting }) => waiting.indexOf(job.id));
  const parts: string[] = [];
  if (job.finished) parts.push(ago(job.finished));
  else if (job.state === "queued" && place >= 0) parts.push(t.place(place));
  if (job.priority !== 0 && !job.finished) parts.push(t.priorityOf(job.priority));
  if (eta !== null && !job.finished) parts.push(t.eta(eta));
  return parts.map((one) => ` · ${one}`).join("");
}

function useDrag(job: Job) {
  const [isTarget, setTarget] = useState(false);
  const fits = (event: DragEvent) => event.dataTransfer.types.includes(DRAGGED);
  return {
    isTarget,
    draggable: true,
    onDragStart: (event: DragEvent) => {
      event.dataTransfer.setData(DRAGGED, job.id);
      event.dataTransfer.effectAllowed = "move";
    },
    onDragOver: (event: DragEvent) => {
      if (!fits(event)) return;
      event.preventDefault();
      setTarget(true);
    },
    onDragLeave: () => setTarget(false),
    onDrop: (event: DragEvent) => {
      setTarget(false);
      const moved = event.dataTransfer.getData(DRAGGED);
      if (moved === "" || moved === job.id) return;
      event.preventDefault();
      const { waiting } = useQueue.getState();
      // It takes the place of the one that it is dropped on, whichever side it comes from.
      const isDown = waiting.indexOf(moved) < waiting.indexOf(job.id);
      void changeWaiting(moved, { move: isDown ? { after: job.id } : { before: job.id } });
    },
  };
}
