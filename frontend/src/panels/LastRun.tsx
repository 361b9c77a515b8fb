/** The last run of the workflow at hand: its nodes by the time they took. */

import { useServer } from "../store/server";
import { useActiveTab } from "../store/workspace";
import { text } from "../text/en";
import { useShownJob } from "../canvas/useNodeRun";

const t = text.lastRun;

export function LastRun({ goTo }: { readonly goTo: (node: string) => void }) {
  const id = useShownJob();
  const job = useServer(({ jobs }) => (id === null ? undefined : jobs.get(id)));
  const document = useActiveTab()?.history.present;
  const isThere = (path: string) => document !== undefined && Object.hasOwn(document.nodes, path.split("/")[0] ?? "");
  const nodes = Object.entries(job?.nodes ?? {}).filter(([node]) => isThere(node));
  if (job === undefined || nodes.length === 0) return null;
  const ran = nodes.filter(([, { outcome }]) => outcome === "ran").sort(([, a], [, b]) => b.seconds - a.seconds);
  const longest = Math.max(0.001, ...ran.map(([, { seconds }]) => seconds));
  const reused = nodes.length - ran.length;
  return (
    <section className="last-run">
      <h3>{t.title}</h3>
      <p>
        {job.started && job.finished ? t.took(job.finished - job.started) : ""} {reused > 0 && t.reused(reused)}
      </p>
      <ul className="plan-list">
        {ran.map(([node, { seconds, loading }]) => (
          <li key={node}>
            <button type="button" title={text.problems.go(node)} onClick={() => goTo(node)}>
              <span className="last-line">
                <span>{node}</span>
                <span className="quiet">{text.node.took(seconds)}</span>
              </span>
              <span className="last-bar" style={{ "--part": seconds / longest }} />
              {loading >= 0.1 && <span className="plan-reason">{t.loading(loading)}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
