/** The value that is being looked at. What lies in the cache is shown at once; what does not is offered to be made. */

import { create } from "zustand";

import { check, getJobWorkflow, submit, type Job } from "../api/calls";
import { ApiError, type Problem } from "../api/client";
import { readDocument, type Document, type Point, type Port } from "../graph/document";
import { lookDocument, missingFor, modelOf, opened, withSeedsOf, type LookDocument } from "../graph/look";
import { holdsRandom, withSeedsFrom } from "../graph/seeds";
import { run } from "./actions";
import { tellError } from "./errors";
import { FINAL, putNewJob, useServer } from "./server";
import { activeTab, pathOf, targetOf } from "./workspace";
import { text } from "../text/en";

const FIRST = 100;

export interface Look {
  readonly port: Port;
  /** Where on the screen. */
  readonly at: Point;
  readonly state: "asking" | "missing" | "making" | "looking" | "refused";
  /** The nodes that would have to run. */
  readonly missing: readonly string[];
  readonly problems: readonly (Partial<Problem> & Pick<Problem, "message">)[];
  /** The job that looks, or that makes the value. */
  readonly job: string | null;
}

export const useLook = create<{ readonly look: Look | null }>()(() => ({ look: null }));

export function closeLook(): void {
  useLook.setState({ look: null });
}

/** Look at the value of an output: run nothing else for it. */
export async function lookAt(port: Port, at: Point): Promise<void> {
  const look: Look = { port, at, state: "asking", missing: [], problems: [], job: null };
  useLook.setState({ look });
  await find(look).catch(tellError);
}

/** Run up to the node, as a run like any other, and look when it is done. */
export async function makeValue(): Promise<void> {
  const { look } = useLook.getState();
  if (look === null) return;
  const tab = activeTab();
  const target = tab ? targetOf(tab, look.port.node) : null;
  const job = target === null ? null : await run([target]);
  if (job === null) closeLook();
  else change(look, { state: "making", job });
}

/** Look again when what had to run has run. */
export function watchLooks(): void {
  useServer.subscribe(({ jobs }) => {
    const { look } = useLook.getState();
    if (look?.state !== "making" || look.job === null) return;
    const job = jobs.get(look.job);
    if (job === undefined || !FINAL.has(job.state)) return;
    if (job.state === "done") find(change(look, { state: "asking" })).catch(tellError);
    else change(look, { state: "refused", problems: job.problems });
  });
}

async function find(look: Look): Promise<void> {
  const tab = activeTab();
  if (tab === undefined) return;
  const job = tab.job === null ? undefined : useServer.getState().jobs.get(tab.job);
  const through = pathOf(tab).map(({ node }) => node);
  const whole = await withSeedsOfRun(tab.history.present, job);
  const place = through.every((node) => node !== null) ? opened(whole, through, look.port) : null;
  if (place === null) {
    change(look, { state: "refused", problems: [{ message: text.look.inside }] });
    return;
  }
  try {
    for (const { document: copy, node } of copiesOf(place.document, place.port)) {
      const { problems, plan } = await check(copy, undefined, [node]);
      if (useLook.getState().look?.port !== look.port) return; // closed, or at something else
      const missing = missingFor(plan, node);
      if (problems.length > 0) change(look, { state: "refused", problems });
      else if (missing.length > 0) change(look, { state: "missing", missing });
      else {
        const title = `${look.port.node}.${look.port.port}`;
        const made = await submit({ workflow: copy, title, targets: [node], hidden: true, priority: FIRST });
        putNewJob(made);
        change(look, { state: "looking", job: made.id });
        return;
      }
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const told = error.problems.length > 0 ? error.problems : [{ message: error.message }];
    change(look, { state: "refused", problems: told });
  }
}

/** A look is at the values of the last run: with the seeds that it drew, told by its named inputs or by what was sent. */
async function withSeedsOfRun(document: Document, job: Job | undefined): Promise<Document> {
  const told = withSeedsOf(document, job?.inputs ?? {});
  const { catalogue } = useServer.getState();
  if (job === undefined || !holdsRandom(told, catalogue)) return told;
  try {
    const sent = readDocument(await getJobWorkflow(job.id));
    return typeof sent === "string" ? told : withSeedsFrom(told, sent, catalogue);
  } catch {
    return told; // the job was forgotten
  }
}

/** How to look: in the colours of the latent's model, or without it where the model is not at hand. */
function copiesOf(document: Document, port: Port): LookDocument[] {
  const { catalogue, vocabulary } = useServer.getState();
  const model = modelOf(document, port, { catalogue, classes: vocabulary.classes });
  const plain = lookDocument(document, port);
  return model === null ? [plain] : [lookDocument(document, port, model), plain];
}

/** Change the look, unless it was closed or another one was opened; the look as it is then. */
function change(look: Look, part: Partial<Look>): Look {
  const { look: now } = useLook.getState();
  if (now === null || now.port !== look.port) return look;
  const next = { ...now, ...part };
  useLook.setState({ look: next });
  return next;
}
