/** The value that is being looked at. What lies in the cache is shown at once; what does not is offered to be made. */

import { create } from "zustand";

import { check, getJobWorkflow, submit, type Job } from "../api/calls";
import { ApiError, type Problem } from "../api/client";
import { readDocument, type Document, type Point, type Port } from "../graph/document";
import { lookDocument, missingFor, modelOf, opened, withSeedsOf, type LookDocument } from "../graph/look";
import { bodyLook, bodyOf, loopEntered, type BodyLook } from "../graph/lookbody";
import { holdsRandom, withSeedsFrom } from "../graph/seeds";
import { run } from "./actions";
import { tellError } from "./errors";
import { FINAL, putNewJob, useServer } from "./server";
import { activeTab, pathOf, shownOf, targetOf, type Tab } from "./workspace";
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
  /** The loop and the node in its body that looks, where one looks at all iterations; and which is shown, null for the last. */
  readonly body: Omit<BodyLook, "document"> | null;
  readonly iteration: number | null;
}

export const useLook = create<{ readonly look: Look | null }>()(() => ({ look: null }));

export function closeLook(): void {
  useLook.setState({ look: null });
}

/** Look at the value of an output: run nothing else for it. */
export async function lookAt(port: Port, at: Point): Promise<void> {
  const look: Look = { port, at, state: "asking", missing: [], problems: [], job: null, body: null, iteration: null };
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
    if (job.state === "done") find(change(look, { state: "asking" }), true).catch(tellError);
    else change(look, { state: "refused", problems: job.problems });
  });
}

export function chooseIteration(iteration: number): void {
  const { look } = useLook.getState();
  if (look !== null) change(look, { iteration });
}

/** Find the value. `ran`: what it needs has just run. */
async function find(look: Look, ran = false): Promise<void> {
  const tab = activeTab();
  if (tab === undefined) return;
  const job = tab.job === null ? undefined : useServer.getState().jobs.get(tab.job);
  const through = pathOf(tab).map(({ node }) => node);
  const whole = await withSeedsOfRun(tab.history.present, job);
  const isKnown = through.every((node) => node !== null);
  const place = isKnown ? opened(whole, through, look.port) : null;
  const loop = isKnown && place === null ? loopEntered(whole, through) : null;
  try {
    if (place !== null) await lookWith(look, copiesOf(place.document, place.port), null);
    else if (loop !== null) await lookWith(look, bodiesOf(loop.document, loop.loop, look.port), ran ? null : loop);
    else change(look, { state: "refused", problems: [isInLoop(tab) ? CARRIED : { message: text.look.inside }] });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const told = error.problems.length > 0 ? error.problems : [{ message: error.message }];
    change(look, { state: "refused", problems: told });
  }
}

const CARRIED = { message: text.look.carried, remedy: text.look.carriedRemedy };

/** Whether the body of a loop was entered: not a subgraph through the node that is one. */
function isInLoop(tab: Tab): boolean {
  const last = pathOf(tab).at(-1);
  const around = shownOf({ ...tab, path: pathOf(tab).slice(0, -1) });
  return last !== undefined && last.node !== null && Object.hasOwn(around.nodes, last.node) && around.nodes[last.node]?.type !== `#${last.definition}`;
}

/** Look by the first copy that can. `loop`: one that must have run before, for its body to lie in the cache. */
async function lookWith(look: Look, copies: readonly (LookDocument & Partial<BodyLook>)[], loop: { document: Document; loop: string } | null): Promise<void> {
  for (const { document: copy, node, inspect } of copies) {
    const { problems, plan } = await check(copy, undefined, [node]);
    const before = loop && problems.length === 0 ? (await check(loop.document, undefined, [loop.loop])).plan : {};
    if (useLook.getState().look?.port !== look.port) return; // closed, or at something else
    const missing = [...new Set([...missingFor(plan, node), ...missingFor(before, "")])];
    if (problems.length > 0) change(look, { state: "refused", problems });
    else if (missing.length > 0) change(look, { state: "missing", missing });
    else {
      const title = `${look.port.node}.${look.port.port}`;
      const made = await submit({ workflow: copy, title, targets: [node], hidden: true, priority: FIRST });
      putNewJob(made);
      change(look, { state: "looking", job: made.id, body: inspect === undefined ? null : { node, inspect } });
      return;
    }
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

/** How to look into the body of a loop: as above. */
function bodiesOf(document: Document, loop: string, port: Port): BodyLook[] {
  const { catalogue, vocabulary } = useServer.getState();
  const body = bodyOf(document, loop);
  const model = body && modelOf(body, port, { catalogue, classes: vocabulary.classes });
  return [...(model === null ? [] : [bodyLook(document, loop, port, model)]), bodyLook(document, loop, port)].filter((copy) => copy !== null);
}

/** Change the look, unless it was closed or another one was opened; the look as it is then. */
function change(look: Look, part: Partial<Look>): Look {
  const { look: now } = useLook.getState();
  if (now === null || now.port !== look.port) return look;
  const next = { ...now, ...part };
  useLook.setState({ look: next });
  return next;
}
