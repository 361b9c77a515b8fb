/** What the run does, in words, for those who do not see the canvas. */

import { plainPath, type Run } from "../graph/run";
import { typeOf } from "../graph/nodetypes";
import type { Job } from "../api/calls";
import { useServer } from "../store/server";
import { useActiveTab } from "../store/workspace";
import { text } from "../text/en";

const t = text.status;

export function RunStatus() {
  const tab = useActiveTab();
  const job = useServer(({ jobs }) => (tab?.job ? jobs.get(tab.job) : undefined));
  const run = useServer(({ runs }) => (tab?.job ? runs[tab.job] : undefined));
  const catalogue = useServer((server) => server.catalogue);
  const titleOf = (id: string): string => {
    const document = tab?.history.present;
    if (document === undefined || !Object.hasOwn(document.nodes, id)) return id;
    return document.nodes[id]?.title ?? typeOf(document, id, catalogue).title;
  };
  return (
    <p className="is-hidden" role="status" data-status>
      {tab && job ? wordsOf(job, run, titleOf) : ""}
    </p>
  );
}

function wordsOf(job: Job, run: Run | undefined, titleOf: (id: string) => string): string {
  switch (job.state) {
    case "queued":
    case "held":
      return t.waiting;
    case "running": {
      const nodes = Object.entries(run?.nodes ?? {}).filter(([path, { own }]) => own && !path.includes("/"));
      const at = nodes.find(([, { state }]) => state === "running");
      // Steps are not told: every one of them would interrupt.
      const done = nodes.filter(([, { state }]) => state !== "running").length;
      return at && run ? t.node(titleOf(plainPath(at[0])), done, Math.max(run.total, nodes.length)) : t.begun;
    }
    case "done":
      return t.done((job.finished ?? 0) - (job.started ?? job.finished ?? 0));
    case "cancelled":
      return t.cancelled;
    default:
      return t.failed(job.problems[0]?.message ?? "");
  }
}
