/** A sweep in the queue: all of its jobs as one line. */

import { Grid3x3, Square } from "lucide-react";

import { IconButton } from "../shell/IconButton";
import { picturesOf } from "../store/pictures";
import { FINAL } from "../store/server";
import { cancelSweep, useGroup } from "../store/sweeps";
import { useUi } from "../store/ui";
import { text } from "../text/en";

export function GroupRow({ id }: { readonly id: string }) {
  const jobs = useGroup(id);
  const over = jobs.filter(({ state }) => FINAL.has(state)).length;
  const failed = jobs.filter(({ state }) => state === "failed" || state === "quarantined").length;
  const isOver = over === jobs.length;
  const picture = jobs.flatMap(picturesOf)[0];
  return (
    <li className={`job is-group ${isOver ? "is-done" : "is-running"}`} data-group={id}>
      <button type="button" className="job-main" title={text.sweep.show} onClick={() => useUi.setState({ sheet: id })}>
        <span className="job-picture">{picture ? <img src={picture.url} alt="" loading="lazy" /> : <Grid3x3 size={18} aria-hidden />}</span>
        <span className="job-text">
          <strong>{text.sweep.sheet(jobs[0]?.title || text.untitled)}</strong>
          <span className="job-state">
            <i /> {text.sweep.done(over, jobs.length)}
            {failed > 0 && ` · ${text.queue.failedCount(failed)}`}
          </span>
        </span>
      </button>
      <span className="job-tools">
        {!isOver && <IconButton label={text.sweep.cancel} icon={Square} onClick={() => void cancelSweep(id)} />}
      </span>
      {!isOver && <span className="job-progress" style={{ "--part": jobs.length ? over / jobs.length : 0 }} />}
    </li>
  );
}
