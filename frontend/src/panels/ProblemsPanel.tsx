/** All problems, each with its place; where there are none, what a run would do. */

import { CircleCheck } from "lucide-react";

import { useCheck } from "../store/check";
import { show, useUi } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { Empty } from "./Empty";

function goTo(node: string): void {
  useUi.setState({ form: false });
  useWorkspace.getState().select([node]);
  show(node);
}

export function ProblemsPanel() {
  const { problems, plan, notes } = useCheck();
  const actions = Object.values(plan).map(({ action }) => action);
  const runs = actions.filter((action) => action === "run" || action === "maybe").length;
  const kept = actions.filter((action) => action === "memory" || action === "disk").length;
  return (
    <div className="problems">
      {problems.length === 0 && <Empty icon={CircleCheck} title={text.problems.none} lead={text.problems.noneLead} />}
      <ul>
        {problems.map((problem) => {
          const node = problem.node?.split("/")[0];
          const place = [node, problem.input].filter(Boolean).join(" · ");
          return (
            <li key={`${problem.code} ${place} ${problem.message}`}>
              <button type="button" disabled={!node} aria-label={node ? text.problems.go(place) : undefined} onClick={() => node && goTo(node)}>
                {place && <span className="problem-place">{place}</span>}
                <span className="problem-text">{problem.message}</span>
                {problem.remedy && <span className="problem-remedy">{problem.remedy}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      {actions.length > 0 && (
        <section>
          <h3>{text.problems.plan}</h3>
          <p>
            {text.problems.planRun(runs)}, {text.problems.planKept(kept)}.
          </p>
        </section>
      )}
      {notes.length > 0 && (
        <section>
          <h3>{text.problems.notes}</h3>
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </section>
      )}
    </div>
  );
}
