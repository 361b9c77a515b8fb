/** What people do with workflows that needs the server: run, save, open, bring in files. */

import { ApiError } from "../api/client";
import {
  cancelJob,
  forgetJob,
  getFileWorkflow,
  getJobWorkflow,
  getTemplate,
  getWorkflow,
  retryJob,
  saveWorkflow,
  submit,
  upload,
  type Job,
} from "../api/calls";
import { pastedDocument } from "../graph/clipboard";
import { readDocument, type Document, type Point } from "../graph/document";
import { addNode, setInput } from "../graph/edits";
import { withInputs } from "../graph/interface";
import type { Json } from "../graph/json";
import { advanced, withDrawnSeeds } from "../graph/seeds";
import { text } from "../text/en";
import { tellError } from "./errors";
import { followRename } from "./savedlist";
import { dropJob, FINAL, putJobs, putNewJob, refreshVocabulary, useServer } from "./server";
import { tell, useUi } from "./ui";
import { activeTab, shownNow, tabOf, useWorkspace, type Saved, type Shown } from "./workspace";

const { open, edit, editAll, change, advance } = useWorkspace.getState();

async function trying<T>(work: () => Promise<T>, what?: string): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    tellError(error, what);
    return null;
  }
}

/** A new seed, as the server draws them: 32 bits, which people can still type. */
export function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** Run the workflow at hand, all of it or only what some nodes need; the job, null where it was refused. */
export async function run(targets?: string[]): Promise<string | null> {
  const tab = activeTab();
  if (tab === undefined || Object.keys(tab.history.present.nodes).length === 0) return null;
  try {
    const { catalogue } = useServer.getState();
    const workflow = withDrawnSeeds(tab.history.present, catalogue, drawSeed);
    const job = await submit({ workflow, title: tab.title || text.untitled, ...(targets ? { targets } : {}) });
    putNewJob(job);
    change(tab.id, { job: job.id });
    advance(tab.id, (document) => advanced(document, catalogue, 1));
    return job.id;
  } catch (error) {
    tellError(error, text.notice.notRun);
    if (error instanceof ApiError && error.problems.length > 0) useUi.setState({ panel: "problems" });
    return null;
  }
}

export async function cancel(id: string): Promise<void> {
  const job = await trying(() => cancelJob(id));
  if (job) putJobs([job]);
}

/** Cancel what the tab at hand runs. */
export async function cancelRun(): Promise<void> {
  const id = activeTab()?.job;
  const job = id ? useServer.getState().jobs.get(id) : undefined;
  if (job && !FINAL.has(job.state)) await cancel(job.id);
}

export async function retry(id: string): Promise<void> {
  const job = await trying(() => retryJob(id));
  if (job === null) return;
  putNewJob(job);
  const tab = useWorkspace.getState().tabs.find((one) => one.job === id);
  if (tab) change(tab.id, { job: job.id });
}

export async function forget(id: string): Promise<void> {
  if (await trying(() => forgetJob(id))) dropJob(id);
}

function openData(data: Json, options: { title?: string; saved?: Saved } = {}): boolean {
  const document = readDocument(data);
  if (typeof document === "string") {
    tell("error", text.notice.refused, document);
    return false;
  }
  open(document, options);
  return true;
}

export async function openTemplate(name: string): Promise<void> {
  const data = await trying(() => getTemplate(name));
  if (data !== null) openData(data);
}

export async function openSaved(name: string, revision?: number): Promise<void> {
  const found = await trying(() => getWorkflow(name, revision));
  if (found === null) return;
  const saved = { name: found.name, tag: found.tag, revision: found.newest };
  if (!openData(found.document as Json, { title: found.name, saved })) return;
  const tab = activeTab();
  // An older revision is a change to the newest: saving it makes it the newest again.
  if (revision !== undefined && revision !== found.newest && tab) {
    change(tab.id, { clean: { nodegraph: 1, nodes: {} } });
    tell("info", text.open.restored(revision));
  }
}

/** Open the graph that made a job's pictures: with the seeds as they were used, where a picture tells. */
export async function openJob(job: Job): Promise<void> {
  const file = Object.values(job.outputs).flatMap((output) => output.files)[0];
  const data = await trying(async () => (file ? getFileWorkflow(file.name) : withInputs(await getJobWorkflow(job.id), job.inputs)));
  if (data !== null && openData(data, { title: job.title })) {
    const tab = activeTab();
    if (tab) change(tab.id, { job: job.id });
  }
}

/** Save under a name. `replace`: over what somebody else saved meanwhile. The error if there is a conflict. */
export async function save(name: string, replace = false, tab = activeTab()): Promise<ApiError | null> {
  if (tab === undefined) return null;
  const document = { ...tab.history.present, name };
  try {
    const same = tab.saved?.name === name ? tab.saved.tag : null;
    const tag = replace ? (await getWorkflow(name)).tag : same;
    const item = await saveWorkflow(name, document, tag);
    if (tab.history.present.name !== name) editAll((one) => ({ ...one, name }), undefined, tab.id);
    change(tab.id, { saved: { name, tag: item.tag, revision: item.revision }, clean: document, title: name });
    tell("info", text.save.saved(name, item.revision));
    return null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 412 && (await followRename(tab))) {
      const renamed = tabOf(tab.id);
      const now = renamed?.saved?.name;
      if (now !== undefined && now !== name) return save(now, false, renamed);
    }
    if (error instanceof ApiError && [409, 412, 428].includes(error.status)) return error;
    tellError(error);
    return null;
  }
}

/** Open a dropped or pasted file: a workflow, a picture that holds one, or a picture to work on. */
export async function bringIn(file: File): Promise<void> {
  if (file.type === "application/json" || file.name.endsWith(".json")) {
    const document = pastedDocument(await file.text());
    if (typeof document === "string") tell("error", text.notice.badFile(file.name), document);
    else open(document, { title: document.name || file.name.replace(/\.json$/, "") });
    return;
  }
  const shown = shownNow();
  const uploaded = await trying(() => upload(file), text.notice.badFile(file.name));
  if (uploaded === null) return;
  await refreshVocabulary().catch(tellError);
  let data: Json;
  try {
    data = await getFileWorkflow(uploaded.file.name);
  } catch {
    placePicture(uploaded.use_as, file.name, shown);
    return;
  }
  openData(data, { title: file.name.replace(/\.\w+$/, "") });
}

/** Use a picture of the gallery as input: in a node that loads one, or in a new one at a place. */
export async function takeAsInput(picture: { url: string; title: string }, where: { node?: string; at?: Point } = {}): Promise<void> {
  const shown = shownNow();
  const file = await uploadPicture(picture);
  if (file === null) return;
  const { node, at } = where;
  if (node === undefined) placePicture(file, picture.title, shown, at);
  else edit((document) => setInput(document, { node, port: "file" }, file), undefined, shown);
}

/** A result among the pictures that nodes load; the name that they load it by. */
export async function uploadPicture(picture: { url: string; title: string }): Promise<string | null> {
  const uploaded = await trying(async () => {
    const data = await (await fetch(picture.url)).blob();
    return upload(new File([data], `${picture.title}.${data.type.split("/")[1] ?? "png"}`, { type: data.type }));
  });
  if (uploaded === null) return null;
  await refreshVocabulary().catch(tellError);
  return uploaded.use_as;
}

/** A picture without a workflow is put on the canvas, to be worked on. */
function placePicture(useAs: string, name: string, shown: Shown | undefined, at: Point = { x: 80, y: 80 }): void {
  const type = useServer.getState().catalogue.get("image.load");
  if (type === undefined || shown === undefined) {
    tell("info", text.notice.noWorkflow(name));
    return;
  }
  edit((document: Document) => {
    const added = addNode(document, type, at);
    return setInput(added.document, { node: added.id, port: "file" }, useAs);
  }, undefined, shown);
  tell("info", text.notice.uploaded(name));
}
