/** The pictures that were made, the newest first, day by day. */

import { Images, ZoomIn, ZoomOut } from "lucide-react";
import { useMemo, useState } from "react";

import { isFound } from "../graph/gallery";
import { byDay } from "../graph/queue";
import { dayOf } from "../shell/ago";
import { IconButton } from "../shell/IconButton";
import { picturesOf } from "../store/pictures";
import { listed, useServer } from "../store/server";
import { COLUMNS, setColumns, useUi } from "../store/ui";
import { text } from "../text/en";
import { Empty } from "./Empty";
import { ResultItem } from "./ResultItem";

const t = text.results;

export function ResultsPanel() {
  const jobs = useServer((server) => server.jobs);
  const columns = useUi((ui) => ui.columns);
  const [query, setQuery] = useState("");
  const all = useMemo(() => listed(jobs).flatMap(picturesOf), [jobs]);
  const days = useMemo(() => {
    const found = all.filter(({ job }) => isFound(job, query));
    return byDay(found.map((picture) => ({ picture, finished: picture.job.finished, created: picture.job.created })), dayOf);
  }, [all, query]);
  if (all.length === 0) return <Empty icon={Images} title={t.empty} lead={t.emptyLead} />;
  return (
    <div className="gallery-panel">
      <div className="results-tools">
        <input className="field" type="search" aria-label={t.search} placeholder={t.search} value={query} onChange={(event) => setQuery(event.target.value)} />
        <IconButton label={t.smaller} icon={ZoomOut} disabled={columns >= COLUMNS.most} onClick={() => setColumns(columns + 1)} />
        <IconButton label={t.larger} icon={ZoomIn} disabled={columns <= COLUMNS.fewest} onClick={() => setColumns(columns - 1)} />
      </div>
      {days.length === 0 && <p className="quiet queue-none">{t.noneFound}</p>}
      {days.map(({ day, items }) => (
        <section key={day}>
          <h3 className="day">{day}</h3>
          <ul className="results" style={{ "--columns": columns }}>
            {items.map(({ picture }) => (
              <ResultItem key={`${picture.job.id} ${picture.url}`} picture={picture} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
