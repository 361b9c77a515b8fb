/** Autosave: the open workflows lie in the browser's storage, so that no reload or crash loses them.

Each window keeps its own; one that is opened anew takes over what a closed window left behind.
*/

import { parseJson, printJson, isObject, type Json } from "../graph/json";
import { readDocument } from "../graph/document";
import { begin } from "../graph/history";
import { text } from "../text/en";
import { tell } from "./ui";
import { HOME, useWorkspace, type Saved, type Tab } from "./workspace";

const PREFIX = "nodegraph.window.";
const DELAY = 300;

/** Take up what this window had open, and keep it from now on. */
export async function keepWorkspace(): Promise<void> {
  const key = await windowKey();
  const kept = localStorage.getItem(key);
  if (kept !== null) restoreFrom(kept);
  let timer = 0;
  let isFull = false;
  const write = () => {
    const { tabs, active } = useWorkspace.getState();
    try {
      localStorage.setItem(key, printJson({ at: Date.now(), active, tabs: tabs.map(keptTab) }));
      isFull = false;
    } catch {
      // Told once: the workflows are still open, and can be saved on the server.
      if (!isFull) tell("error", text.keeping.full, text.keeping.remedy);
      isFull = true;
    }
  };
  useWorkspace.subscribe((state, before) => {
    if (state.tabs === before.tabs && state.active === before.active) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(write, DELAY);
  });
  window.addEventListener("pagehide", write);
}

/** Which entry of the storage is this window's. It holds a lock, so that others see that it lives. */
async function windowKey(): Promise<string> {
  const own = sessionStorage.getItem("nodegraph.window");
  const alive = new Set((await navigator.locks?.query())?.held?.map(({ name }) => name ?? "") ?? []);
  const left = Object.keys(localStorage)
    .filter((key) => key.startsWith(PREFIX) && !alive.has(key))
    .sort((a, b) => keptAt(b) - keptAt(a));
  // A duplicated window has the session of the one it was made from, which still holds the lock.
  const key = own !== null && !alive.has(own) ? own : (navigator.locks && left[0]) || PREFIX + crypto.randomUUID();
  sessionStorage.setItem("nodegraph.window", key);
  void navigator.locks?.request(key, () => new Promise(() => undefined));
  return key;
}

function keptAt(key: string): number {
  const kept = read(localStorage.getItem(key));
  return isObject(kept) ? Number(kept.at) : 0;
}

function keptTab({ id, title, history, saved, clean, job, fresh }: Tab): unknown {
  return { id, title, document: history.present, saved, clean: clean === history.present ? null : clean, job, fresh };
}

function restoreFrom(text: string): void {
  const kept = read(text);
  if (!isObject(kept) || !Array.isArray(kept.tabs)) return;
  const tabs = kept.tabs.flatMap((data): Tab[] => {
    const document = isObject(data) ? readDocument(data.document) : "";
    if (!isObject(data) || typeof document === "string") return [];
    const clean = readDocument(data.clean);
    return [
      {
        id: String(data.id),
        title: String(data.title ?? ""),
        history: begin(document),
        saved: isObject(data.saved) ? (data.saved as unknown as Saved) : null,
        clean: typeof clean === "string" ? document : clean,
        job: typeof data.job === "string" ? data.job : null,
        path: [],
        fresh: data.fresh === true,
      },
    ];
  });
  const active = tabs.some(({ id }) => id === kept.active) ? String(kept.active) : HOME;
  useWorkspace.getState().restore(tabs, active);
}

function read(text: string | null): Json {
  try {
    return text === null ? null : parseJson(text);
  } catch {
    return null;
  }
}
