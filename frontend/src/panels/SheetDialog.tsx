/** The contact sheet of a sweep: a table with its axes at the sides. Pictures appear as they come. */

import { Download, Square, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { useMemo } from "react";

import type { Job } from "../api/calls";
import { sheetOf, type Sheet } from "../graph/sweep";
import { progressOf } from "../graph/run";
import { IconButton } from "../shell/IconButton";
import { openJob } from "../store/actions";
import { tellError } from "../store/errors";
import { picturesOf } from "../store/pictures";
import { FINAL, useServer } from "../store/server";
import { savePng } from "../store/sheetpng";
import { cancelSweep, useGroup } from "../store/sweeps";
import { useUi } from "../store/ui";
import { text } from "../text/en";

const t = text.sweep;
const close = () => useUi.setState({ sheet: null });

export function SheetDialog() {
  const id = useUi((ui) => ui.sheet);
  const hasPicture = useUi((ui) => ui.picture !== null);
  return (
    <Dialog.Root open={id !== null} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        {/* A picture that is open in front is closed first. */}
        <Dialog.Content
          className="sheet-dialog"
          aria-describedby={undefined}
          onEscapeKeyDown={(event) => hasPicture && event.preventDefault()}
          onInteractOutside={(event) => hasPicture && event.preventDefault()}
        >
          {id !== null && <OpenSheet id={id} />}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function OpenSheet({ id }: { readonly id: string }) {
  const jobs = useGroup(id);
  const sheet = useMemo(() => sheetOf(jobs), [jobs]);
  const over = jobs.filter(({ state }) => FINAL.has(state)).length;
  const title = jobs[0]?.title ?? "";
  return (
    <>
      <div className="picture-bar">
        <Dialog.Title>{t.sheet(title)}</Dialog.Title>
        <span className="quiet" role="status">
          {t.done(over, jobs.length)}
        </span>
        {over < jobs.length && <IconButton label={t.cancel} icon={Square} onClick={() => void cancelSweep(id)} />}
        <IconButton label={t.download} icon={Download} disabled={over === 0} onClick={() => void savePng(sheet, title).catch(tellError)} />
        <IconButton label={t.close} icon={X} onClick={close} />
      </div>
      <div className="sheet-scroll">
        <Table sheet={sheet} />
      </div>
    </>
  );
}

function Table({ sheet: { columns, rows } }: { readonly sheet: Sheet<Job> }) {
  return (
    <table className="sheet">
      {columns.length > 0 && (
        <thead>
          <tr>
            <td />
            {columns.map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {rows.map(({ label, cells }) => (
          <tr key={cells[0]?.job.id}>
            {columns.length > 0 && <th scope="row">{label}</th>}
            {cells.map((cell) => (
              <td key={cell.job.id}>
                <Cell job={cell.job} label={cell.label} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell({ job, label }: { readonly job: Job; readonly label: string }) {
  const run = useServer(({ runs }) => runs[job.id]);
  const picture = picturesOf(job)[0];
  const preview = Object.values(run?.nodes ?? {}).find((node) => node.state === "running" && node.preview)?.preview;
  const part = job.state === "running" && run ? progressOf(run) : 0;
  return (
    <div className={`sheet-cell is-${job.state}`} data-state={job.state}>
      {picture ? (
        <button type="button" className="sheet-picture" onClick={() => useUi.setState({ picture: { url: picture.url, title: label || picture.title } })}>
          <img src={picture.url} alt={text.results.picture(label || picture.title)} loading="lazy" />
        </button>
      ) : (
        <span className="sheet-picture" title={job.problems[0]?.message}>
          {preview ? <img src={preview} alt="" /> : <span>{text.queue.states[job.state]}</span>}
          {job.state === "running" && <span className="job-progress" style={{ "--part": part }} />}
        </span>
      )}
      <button
        type="button"
        className="sheet-label"
        title={text.queue.open}
        onClick={() => {
          close();
          void openJob(job);
        }}
      >
        {label || t.open}
      </button>
    </div>
  );
}
