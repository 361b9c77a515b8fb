/** The calls that the editor makes, with the types of the API's description. */

import type { NodeTypeData } from "../graph/catalogue";
import type { Document } from "../graph/document";
import type { Json } from "../graph/json";
import { PREFIX } from "../graph/library";
import { ask, type Answer } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Job = Schemas["JobView"];
export type Group = Schemas["GroupView"];
export type JobState = Schemas["JobView"]["state"];
export type Check = Schemas["CheckView"];
export type PlannedNode = Schemas["PlannedNode"];
export type Template = Schemas["TemplateItem"];
export type Vocabulary = Schemas["VocabularyView"];
export type Interface = Schemas["InterfaceView"];
export type WorkflowItem = Schemas["WorkflowItem"];
export type WorkflowView = Schemas["WorkflowView"];
export type Revision = Schemas["RevisionItem"];
export type Upload = Schemas["UploadView"];

export type ModelItem = Schemas["ModelItem"];

const part = encodeURIComponent;

async function data<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).data;
}

export const getCatalogue = () => data(ask<NodeTypeData[]>("GET", "/nodes"));
export const getVocabulary = () => data(ask<Vocabulary>("GET", "/vocabulary"));
export const getTemplates = async () => (await data(ask<Schemas["TemplateList"]>("GET", "/templates"))).templates;
export const getTemplate = (name: string) => data(ask<Json>("GET", `/templates/${part(name)}`));
export const getSystem = () => data(ask<Schemas["SystemView"]>("GET", "/system"));

export const check = (workflow: Document, signal?: AbortSignal, targets?: string[]) =>
  data(ask<Check>("POST", "/check", { body: { workflow, ...(targets ? { targets } : {}) }, ...(signal ? { signal } : {}) }));

export interface Submission {
  workflow: Document;
  title: string;
  targets?: string[];
  priority?: number;
  hidden?: boolean;
}

export const submit = (submission: Submission) =>
  data(ask<Job>("POST", "/jobs", { body: { previews: true, ...submission } }));

export interface GroupSubmission {
  workflow: Document;
  title: string;
  axes: readonly { input: string; values: readonly Json[] }[];
  mode: "grid" | "zip";
}

export const submitGroup = (submission: GroupSubmission) =>
  data(ask<Group>("POST", "/groups", { body: { previews: true, ...submission } }));
export const getGroup = (id: string) => data(ask<Group>("GET", `/groups/${part(id)}`));
export const cancelGroup = (id: string) => data(ask<Group>("POST", `/groups/${part(id)}/cancel`));

export const getJobs = async (limit: number) =>
  (await data(ask<Schemas["JobList"]>("GET", `/jobs?limit=${limit}`))).jobs;
export const getJob = (id: string) => data(ask<Job>("GET", `/jobs/${part(id)}`));
export const getJobWorkflow = (id: string) => data(ask<Json>("GET", `/jobs/${part(id)}/workflow`));
export const cancelJob = (id: string) => data(ask<Job>("POST", `/jobs/${part(id)}/cancel`));
export const retryJob = (id: string) => data(ask<Job>("POST", `/jobs/${part(id)}/retry`));
export const forgetJob = (id: string) => ask<null>("DELETE", `/jobs/${part(id)}`);
export const changeJob = (id: string, change: JobChange) => data(ask<Job>("PATCH", `/jobs/${part(id)}`, { body: change }));

export interface JobChange {
  readonly priority?: number;
  readonly hold?: boolean;
  readonly move?: { readonly before: string } | { readonly after: string } | { readonly to: "front" | "back" };
}

export const getQueue = () => data(ask<Schemas["QueueView"]>("GET", "/queue"));
export const setPaused = (paused: boolean) => data(ask<Schemas["QueueView"]>("PATCH", "/queue", { body: { paused } }));

const allWorkflows = async () => (await data(ask<Schemas["WorkflowList"]>("GET", "/workflows"))).workflows;
export const getWorkflows = async () => (await allWorkflows()).filter(({ name }) => !name.startsWith(PREFIX));
/** The subgraphs of the library are workflows with names of their own kind. */
export const getPublished = async () => (await allWorkflows()).filter(({ name }) => name.startsWith(PREFIX));
export const getWorkflow = (name: string, revision?: number) =>
  data(ask<WorkflowView>("GET", `/workflows/${part(name)}${revision ? `?revision=${revision}` : ""}`));
export const getRevisions = async (name: string) =>
  (await data(ask<Schemas["RevisionList"]>("GET", `/workflows/${part(name)}/revisions`))).revisions;
export const trashWorkflow = (name: string) => ask<null>("DELETE", `/workflows/${part(name)}`);
/** What lies in the trash, the newest first. */
export const getTrash = async () =>
  (await data(ask<Schemas["WorkflowList"]>("GET", "/workflows?trashed=true"))).workflows.filter(({ name }) => !name.startsWith(PREFIX));
export const renameWorkflow = (name: string, to: string) =>
  data(ask<WorkflowItem>("POST", `/workflows/${part(name)}/rename`, { body: { name: to } }));
export const restoreWorkflow = (id: number, name: string) =>
  data(ask<WorkflowItem>("POST", "/workflows/restore", { body: { id, name } }));
/** Delete what lies in the trash for good. */
export const purgeWorkflow = (id: number) => ask<null>("DELETE", `/trash/${id}`);

/** Save a revision. `tag` is that of the one it was made from; without it the workflow is new. */
export const saveWorkflow = (name: string, document: Document, tag: string | null) =>
  data(
    ask<WorkflowItem>("PUT", `/workflows/${part(name)}`, {
      body: { document },
      headers: tag === null ? {} : { "If-Match": `"${tag}"` },
    }),
  );

export const upload = (file: File) =>
  data(
    ask<Upload>("POST", `/files?name=${part(file.name.slice(0, 200))}`, {
      raw: file,
      headers: { "Content-Type": file.type || "application/octet-stream" },
    }),
  );
export const getUploads = async () => (await data(ask<Schemas["Uploads"]>("GET", "/files"))).files;
/** All model files, or those of a kind with their families. The server looks through its folders for it. */
export const getModels = async (kind?: string) =>
  (await data(ask<Schemas["ModelList"]>("GET", kind === undefined ? "/models" : `/models?kind=${part(kind)}&families=true`))).models;
export const getFileWorkflow = (name: string) => data(ask<Json>("GET", `/files/${part(name)}/workflow`));
