/** To the node that failed, in the graph that ran. */

import type { Job } from "../api/calls";
import { openJob } from "./actions";
import { show, useUi } from "./ui";
import { activeTab, useWorkspace } from "./workspace";

export async function goToFailure(job: Job): Promise<void> {
  const node = job.problems[0]?.node?.split("/")[0];
  if (node === undefined) return;
  const { tabs, activate } = useWorkspace.getState();
  const tab = tabs.find((one) => one.job === job.id);
  if (tab) activate(tab.id);
  else await openJob(job);
  if (!Object.hasOwn(activeTab()?.history.present.nodes ?? {}, node)) return;
  useUi.setState({ form: false });
  useWorkspace.getState().select([node]);
  show(node);
}
