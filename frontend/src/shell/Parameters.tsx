/** What made a picture: its prompt, seed and the rest, as its run tells. */

import { useEffect, useState } from "react";

import { getJobWorkflow, type Job } from "../api/calls";
import { readDocument, type Document } from "../graph/document";
import { parametersOf } from "../graph/gallery";
import { text } from "../text/en";
import { ago } from "./ago";

export function Parameters({ job }: { readonly job: Job }) {
  const [document, setDocument] = useState<Document | null>(null);
  const hasNames = Object.keys(job.inputs).length > 0;
  useEffect(() => {
    if (hasNames) return;
    getJobWorkflow(job.id).then(
      (data) => {
        const found = readDocument(data);
        setDocument(typeof found === "string" ? null : found);
      },
      () => setDocument(null),
    );
  }, [job.id, hasNames]);
  const took = job.started && job.finished ? job.finished - job.started : null;
  return (
    <aside className="parameters" aria-label={text.results.parameters}>
      <dl>
        {parametersOf(job.inputs, document).map(({ name, value }) => (
          <div key={name} className={value.length > 24 ? "is-long" : ""}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">
        {job.finished ? ago(job.finished) : ""}
        {took !== null && ` · ${text.node.took(took)}`}
      </p>
    </aside>
  );
}
