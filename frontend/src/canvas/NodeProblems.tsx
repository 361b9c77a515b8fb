/** What is wrong with a node. */

import type { Problem } from "../api/client";
import type { NodeRun } from "../graph/run";

const SHOWN = 3;

export function NodeProblems({ problems, run }: { readonly problems: readonly Problem[]; readonly run: NodeRun | undefined }) {
  if (problems.length === 0) return run?.problem ? <p className="node-problems">{run.problem}</p> : null;
  return (
    <ul className="node-problems">
      {problems.slice(0, SHOWN).map((problem) => (
        <li key={problem.code + (problem.input ?? "") + problem.message} title={problem.remedy ?? undefined}>
          {problem.input && <b>{problem.input}</b>} {problem.message}
        </li>
      ))}
    </ul>
  );
}
