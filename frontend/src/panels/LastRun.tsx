/** The last run of the workflow at hand: its nodes by the time they took, or by what their results weigh. */

import { useState } from "react";

import { ranked, weighed, type Order } from "../graph/weight";
import { useServer } from "../store/server";
import { useActiveTab } from "../store/workspace";
import { text } from "../text/en";
import { useShownJob } from "../canvas/useNodeRun";

const t = text.lastRun;
const ORDERS = ["time", "memory"] as const;

export function LastRun({ goTo }: { readonly goTo: (node: string) => void }) {
  const id = useShownJob();
  const [order, setOrder] = useState<Order>("time");
  const job = useServer(({ jobs }) => (id === null ? undefined : jobs.get(id)));
  const document = useActiveTab()?.history.present;
  const isThere = (path: string) => document !== undefined && Object.hasOwn(document.nodes, path.split("/")[0] ?? "");
  const nodes = Object.entries(job?.nodes ?? {}).filter(([node]) => isThere(node));
  if (job === undefined || nodes.length === 0) return null;
  const shown = ranked(nodes, order);
  const measure = ({ seconds, size }: { readonly seconds: number; readonly size: number }) => (order === "time" ? seconds : size);
  const longest = Math.max(0.001, ...shown.map(([, node]) => measure(node)));
  const reused = nodes.length - ranked(nodes, "time").length;
  const { size, peak } = weighed(nodes);
  return (
    <section className="last-run">
      <h3>{t.title}</h3>
      <p>
        {job.started && job.finished ? t.took(job.finished - job.started) : ""} {reused > 0 && t.reused(reused)} {text.memory.all(size)}{" "}
        {peak > 0 && text.memory.peak(peak)}
      </p>
      <div className="segments" role="group" aria-label={text.memory.order}>
        {ORDERS.map((one) => (
          <button key={one} type="button" aria-pressed={order === one} onClick={() => setOrder(one)}>
            {text.memory.orders[one]}
          </button>
        ))}
      </div>
      {shown.length === 0 && <p>{order === "time" ? t.nothingRan : text.memory.light}</p>}
      <ul className="plan-list">
        {shown.map(([node, figures]) => (
          <li key={node}>
            <button type="button" title={text.problems.go(node)} onClick={() => goTo(node)}>
              <span className="last-line">
                <span>{node}</span>
                <span className="quiet">{order === "time" ? text.node.took(figures.seconds) : text.memory.told(figures.size)}</span>
              </span>
              <span className="last-bar" style={{ "--part": measure(figures) / longest }} />
              {order === "time" && figures.loading >= 0.1 && <span className="plan-reason">{t.loading(figures.loading)}</span>}
              {order === "memory" && figures.peak > 0 && <span className="plan-reason">{text.memory.peakShort(figures.peak)}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
