/** To the node that failed, in the graph that ran. */

import type { Job } from "../api/calls";
import { reveal } from "../commands/subgraphs";
import { openJob } from "./actions";
import { useWorkspace } from "./workspace";

export async function goToFailure(job: Job): Promise<void> {
  const node = job.problems[0]?.node;
  if (!node) return;
  const { tabs, activate } = useWorkspace.getState();
  const tab = tabs.find((one) => one.job === job.id);
  if (tab) activate(tab.id);
  else await openJob(job);
  reveal(node);
}
