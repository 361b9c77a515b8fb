/** The pictures that were made, the newest first. */

import { Images, Workflow } from "lucide-react";
import { useMemo } from "react";

import { IconButton } from "../shell/IconButton";
import { openJob } from "../store/actions";
import { picturesOf } from "../store/pictures";
import { listed, useServer } from "../store/server";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { Empty } from "./Empty";

export function ResultsPanel() {
  const jobs = useServer((server) => server.jobs);
  const pictures = useMemo(() => listed(jobs).flatMap(picturesOf), [jobs]);
  if (pictures.length === 0) return <Empty icon={Images} title={text.results.empty} lead={text.results.emptyLead} />;
  return (
    <ul className="results">
      {pictures.map(({ url, title, job }) => (
        <li key={`${job.id} ${url}`}>
          <button type="button" className="result" onClick={() => useUi.setState({ picture: { url, title } })}>
            <img src={url} alt={text.results.picture(title)} loading="lazy" />
          </button>
          <IconButton label={text.results.open} icon={Workflow} onClick={() => void openJob(job)} />
        </li>
      ))}
    </ul>
  );
}
