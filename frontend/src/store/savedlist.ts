/** The saved workflows as a shelf: renamed, thrown away and taken back. Open tabs follow. */

import { getWorkflows, purgeWorkflow, renameWorkflow, restoreWorkflow, trashWorkflow, type WorkflowItem } from "../api/calls";
import { ApiError } from "../api/client";
import { freeName } from "../graph/saved";
import { text } from "../text/en";
import { tellError } from "./errors";
import { tell } from "./ui";
import { useWorkspace, type Tab } from "./workspace";

const t = text.open;

/** The open tabs that were saved as this workflow, under whatever name. */
function tabsOf({ id }: WorkflowItem): Tab[] {
  return useWorkspace.getState().tabs.filter(({ saved }) => saved?.tag.startsWith(`${id}-`));
}

function take(tab: Tab, name: string): void {
  if (tab.saved) useWorkspace.getState().change(tab.id, { saved: { ...tab.saved, name }, title: name });
}

/** Another name, which open tabs save to from now on. The error where the server refuses it. */
export async function rename(item: WorkflowItem, name: string): Promise<ApiError | null> {
  try {
    const renamed = await renameWorkflow(item.name, name);
    tabsOf(item).forEach((tab) => take(tab, renamed.name));
    tell("info", t.renamed(renamed.name));
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error;
    tellError(error);
    return null;
  }
}

/** Into the trash. What is open stays open, and is not saved any more. */
export async function throwAway(item: WorkflowItem): Promise<void> {
  try {
    await trashWorkflow(item.name);
    for (const tab of tabsOf(item)) useWorkspace.getState().change(tab.id, { saved: null, clean: { nodegraph: 1, nodes: {} } });
    tell("info", t.trashed(item.name), t.trashedLead);
  } catch (error) {
    tellError(error);
  }
}

/** Out of the trash: under another name where its own is taken. */
export async function takeBack(item: WorkflowItem): Promise<void> {
  try {
    const taken = new Set((await getWorkflows()).map(({ name }) => name));
    const { name } = await restoreWorkflow(item.id, freeName(item.name, taken));
    tell("info", t.restoredAs(name), name === item.name ? "" : t.restoredAsLead(item.name));
  } catch (error) {
    tellError(error);
  }
}

/** Delete what lies in the trash, with all its revisions. */
export async function purge(item: WorkflowItem): Promise<void> {
  try {
    await purgeWorkflow(item.id);
    tell("info", t.purged(item.name));
  } catch (error) {
    tellError(error);
  }
}

/** Whether a tab's workflow has another name now, given elsewhere: it is the one with the tag that the tab knows. */
export async function followRename(tab: Tab): Promise<boolean> {
  const { saved } = tab;
  if (saved === null) return false;
  const found = (await getWorkflows().catch(() => [])).find(({ tag }) => tag === saved.tag);
  if (found === undefined || found.name === saved.name) return false;
  take(tab, found.name);
  tell("info", t.followed(found.name));
  return true;
}
