/** All problems, each with its place; where there are none, what a run would do. */

import { CircleCheck } from "lucide-react";

import { reveal } from "../commands/subgraphs";
import { useCheck } from "../store/check";
import { text } from "../text/en";
import { Empty } from "./Empty";
import { LastRun } from "./LastRun";
import { isTold, MissingFiles, useMissing } from "./MissingFiles";

export function ProblemsPanel() {
  const { problems: all, plan, notes } = useCheck();
  const missing = useMissing(all);
  const problems = all.filter((problem) => !isTold(problem, missing));
  const actions = Object.values(plan).map(({ action }) => action);
  const runs = actions.filter((action) => action === "run" || action === "maybe").length;
  const kept = actions.filter((action) => action === "memory" || action === "disk").length;
  return (
    <div className="problems">
      {all.length === 0 && actions.length === 0 && <Empty icon={CircleCheck} title={text.problems.none} lead={text.problems.noneLead} />}
      {all.length === 0 && actions.length > 0 && (
        <p className="all-well">
          <CircleCheck size={16} aria-hidden /> {text.problems.none}. {text.problems.noneLead}
        </p>
      )}
      <MissingFiles files={missing} goTo={reveal} />
      <ul className="problem-list">
        {problems.map((problem) => {
          const node = problem.node;
          const place = [node, problem.input].filter(Boolean).join(" · ");
          return (
            <li key={`${problem.code} ${place} ${problem.message}`}>
              <button type="button" disabled={!node} title={node ? text.problems.go(place) : undefined} onClick={() => node && reveal(node)}>
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
          <ul className="plan-list">
            {Object.entries(plan)
              .filter(([id]) => !id.includes("/"))
              .map(([id, { action, reason }]) => (
                <li key={id}>
                  <button type="button" title={text.problems.go(id)} onClick={() => reveal(id)}>
                    <span className={`plan plan-${action.replace(" ", "-")}`}>{id}</span>
                    <span className="plan-reason">{reason}</span>
                  </button>
                </li>
              ))}
          </ul>
        </section>
      )}
      <LastRun goTo={reveal} />
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
