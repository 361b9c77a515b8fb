/** Requests to the server. Answers are parsed without loss; errors are problem details. */

import { parseJson, printJson } from "../graph/json";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Problem = Schemas["ProblemItem"];
export type ProblemDetails = Schemas["ProblemDetails"];

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly details: ProblemDetails | null,
    message: string,
  ) {
    super(message);
  }

  get problems(): readonly Problem[] {
    return this.details?.problems ?? [];
  }
}

export interface Answer<T> {
  readonly data: T;
  readonly status: number;
  readonly etag: string | null;
}

export interface Sent {
  readonly body?: unknown;
  readonly raw?: Blob;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Ask the server. `T` is what the API's description says of the answer. ApiError tells what went wrong. */
export async function ask<T>(method: string, path: string, sent: Sent = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { ...sent.headers };
  if (sent.body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers,
    body: sent.raw ?? (sent.body !== undefined ? printJson(sent.body) : null),
    signal: sent.signal ?? null,
  });
  const text = await response.text();
  const data: unknown = text !== "" && isJson(response) ? parseJson(text) : null;
  if (!response.ok) {
    const details = data as ProblemDetails | null;
    throw new ApiError(response.status, details, details?.detail || details?.title || response.statusText);
  }
  return { data: data as T, status: response.status, etag: response.headers.get("ETag") };
}

function isJson(response: Response): boolean {
  return /json/.test(response.headers.get("Content-Type") ?? "");
}
