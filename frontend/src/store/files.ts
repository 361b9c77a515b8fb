/** Files that nodes load, and what is known of them: names of uploads, sizes of models. */

import { create } from "zustand";

import { getModels, getUploads, type ModelItem } from "../api/calls";
import { ApiError } from "../api/client";
import { tellError } from "./errors";
import { refreshVocabulary, useServer } from "./server";

interface Files {
  /** What uploads are called, by the name that nodes load them by; the newest first. */
  readonly uploads: ReadonlyMap<string, string>;
  /** By kind and name: `loras/neon.safetensors`. */
  readonly models: ReadonlyMap<string, ModelItem>;
}

export const useFiles = create<Files>()(() => ({ uploads: new Map(), models: new Map() }));

export async function refreshUploads(): Promise<void> {
  try {
    const uploads = await getUploads();
    useFiles.setState({ uploads: new Map(uploads.map(({ use_as, called }) => [use_as, called])) });
  } catch (error) {
    tellError(error);
  }
}

/** What there is to know of the models of a kind. */
export async function refreshModels(kind?: string): Promise<void> {
  try {
    const models = await getModels(kind);
    useFiles.setState((files) => ({ models: new Map([...files.models, ...models.map((model) => [`${model.kind}/${model.name}`, model] as const)]) }));
  } catch (error) {
    // Files of a pack's own kind are no models: nothing is known of them.
    if (!(error instanceof ApiError && error.status === 422)) tellError(error);
  }
}

/** Look into the folders again: files may have been put there. Then all is checked anew. */
export async function lookForFiles(): Promise<void> {
  await refreshModels();
  await refreshVocabulary();
  useServer.setState(({ finished }) => ({ finished: finished + 1 }));
}
