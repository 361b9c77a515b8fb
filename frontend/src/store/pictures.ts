/** Where the pictures of a job lie. */

import type { Job } from "../api/calls";

/** What a picture of the gallery is while it is dragged. */
export const PICTURE = "application/x-nodegraph-picture";

export interface Picture {
  readonly url: string;
  readonly title: string;
  readonly job: Job;
}

export function artifactUrl(job: string, path: string): string {
  return `/api/v1/jobs/${job}/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** A picture that nodes can load, by the name that they load it by. */
export function pictureUrl(file: string): string {
  return `/api/v1/pictures/${file.split("/").map(encodeURIComponent).join("/")}`;
}

/** The pictures of a job: its named outputs, else what it saved, else what its nodes showed. */
export function picturesOf(job: Job): Picture[] {
  const title = job.title;
  const outputs = Object.values(job.outputs)
    .flatMap(({ files }) => files)
    .filter(({ media_type }) => media_type.startsWith("image/"));
  if (outputs.length > 0) return outputs.map(({ url }) => ({ url, title, job }));
  const saved = job.artifacts.filter(({ media_type }) => media_type.startsWith("image/"));
  const found = saved.length > 0 ? saved : Object.values(job.shown);
  return found.map(({ url }) => ({ url, title, job }));
}
