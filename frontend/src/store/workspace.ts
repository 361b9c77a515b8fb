/** The open workflows, each with its history: all edits go through here, so all of them can be undone. */

import { useMemo } from "react";
import { create } from "zustand";

import { positionOf, sameDocument, type Document, type Port } from "../graph/document";
import { begin, redo, step, undo, type History } from "../graph/history";
import { definitionOf, inside, putBack } from "../graph/scope";
import { targetOf as targetIn, type Step } from "../graph/target";
import { heldSince } from "./pointer";

export type { Step };

export interface Saved {
  readonly name: string;
  readonly tag: string;
  readonly revision: number;
}

export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly history: History<Document>;
  /** Under which name it was saved, and what was saved. */
  readonly saved: Saved | null;
  readonly clean: Document;
  /** The job whose run the canvas shows. */
  readonly job: string | null;
  /** The subgraphs that were entered, from the outside in. */
  readonly path: readonly Step[];
  /** Whether nodes still have to be laid out, once they are drawn and measured. */
  readonly fresh: boolean;
}

export const HOME = "home";

/** What was shown when an edit began that takes its time, an upload for one: another workflow may be shown when it ends. */
export interface Shown {
  readonly tab: string;
  readonly path: readonly Step[];
}

interface Workspace {
  readonly tabs: readonly Tab[];
  /** The id of a tab, or HOME. */
  readonly active: string;
  readonly selected: readonly string[];
  /** Ends of the selected links. */
  readonly selectedLinks: readonly Port[];
  /** The selected groups and notes, by key (`groups.1`). */
  readonly selectedFrames: readonly string[];
  open: (document: Document, options?: { title?: string; saved?: Saved }) => string;
  close: (id: string) => void;
  activate: (id: string) => void;
  /** Change what is shown, or was: the workflow, or the inside of the subgraph that was entered. */
  edit: (change: (document: Document) => Document, key?: string, shown?: Shown) => void;
  /** Change the whole document, wherever one is in it: that of the tab at hand unless one is named. */
  editAll: (change: (document: Document) => Document, key?: string, tab?: string) => void;
  /** Go into a subgraph, or out of it: the path to what is shown from now on. */
  enter: (path: readonly Step[]) => void;
  undo: () => void;
  redo: () => void;
  select: (nodes: readonly string[], links?: readonly Port[], frames?: readonly string[]) => void;
  change: (id: string, change: Partial<Pick<Tab, "saved" | "clean" | "job" | "fresh" | "title">>) => void;
  /** Place the nodes of a workflow that was just opened: no edit, and nothing to undo. */
  settle: (id: string, change: (document: Document) => Document) => void;
  /** What follows from a run, such as the next seed: nothing that somebody would undo. */
  advance: (id: string, change: (document: Document) => Document) => void;
  restore: (tabs: readonly Tab[], active: string) => void;
}

const NOTHING_SELECTED = { selected: [], selectedLinks: [], selectedFrames: [] };

export const useWorkspace = create<Workspace>()((set) => {
  const onTab = (id: string | undefined, change: (tab: Tab) => Tab) =>
    set(({ tabs, active }) => ({ tabs: tabs.map((tab) => (tab.id === (id ?? active) ? change(tab) : tab)) }));
  const through = (move: (history: History<Document>) => History<Document>) =>
    onTab(undefined, (tab) => ({ ...tab, history: move(tab.history) }));

  return {
    tabs: [],
    active: HOME,
    ...NOTHING_SELECTED,
    open: (document, { title = "", saved = null }: { title?: string; saved?: Saved | null } = {}) => {
      const id = crypto.randomUUID();
      const fresh = Object.keys(document.nodes).length > 0;
      const tab = { id, title: title || document.name || "", history: begin(document), saved, clean: document, job: null, path: [], fresh };
      set(({ tabs }) => ({ tabs: [...tabs, tab], active: id, ...NOTHING_SELECTED }));
      return id;
    },
    close: (id) =>
      set(({ tabs, active }) => {
        const index = tabs.findIndex((tab) => tab.id === id);
        const left = tabs.filter((tab) => tab.id !== id);
        const next = active === id ? (left[Math.min(index, left.length - 1)]?.id ?? HOME) : active;
        return { tabs: left, active: next, ...NOTHING_SELECTED };
      }),
    activate: (active) => set({ active, ...NOTHING_SELECTED }),
    edit: (change, key, shown) =>
      onTab(shown?.tab, (tab) => {
        const present = changedIn(shown ? { ...tab, path: shown.path } : tab, change);
        return { ...tab, history: step(tab.history, present, key ?? null, Date.now(), heldSince()) };
      }),
    editAll: (change, key, tab) =>
      onTab(tab, (one) => ({ ...one, history: step(one.history, change(one.history.present), key ?? null, Date.now(), heldSince()) })),
    enter: (path) =>
      set(({ tabs, active }) => ({
        tabs: tabs.map((tab) => (tab.id === active ? { ...tab, path, fresh: needsLayout({ ...tab, path }) } : tab)),
        ...NOTHING_SELECTED,
      })),
    undo: () => through(undo),
    redo: () => through(redo),
    select: (selected, selectedLinks = [], selectedFrames = []) => set({ selected, selectedLinks, selectedFrames }),
    change: (id, change) =>
      set(({ tabs }) => ({ tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) })),
    settle: (id, change) =>
      set(({ tabs }) => ({
        tabs: tabs.map((tab) => {
          if (tab.id !== id) return tab;
          const present = changedIn(tab, change);
          const clean = tab.clean === tab.history.present ? present : tab.clean;
          return { ...tab, clean, history: { ...tab.history, present } };
        }),
      })),
    advance: (id, change) =>
      set(({ tabs }) => ({
        tabs: tabs.map((tab) => (tab.id === id ? { ...tab, history: { ...tab.history, present: change(tab.history.present) } } : tab)),
      })),
    restore: (tabs, active) => set({ tabs, active, ...NOTHING_SELECTED }),
  };
});

/** The path as far as it leads: undo may have taken away a subgraph that was entered. */
export function pathOf({ history, path }: Tab): readonly Step[] {
  const lost = path.findIndex(({ definition }) => definitionOf(history.present, definition) === undefined);
  return lost < 0 ? path : path.slice(0, lost);
}

/** What is shown of a tab: its workflow, or the inside of a subgraph. */
export function shownOf(tab: Tab): Document {
  const last = pathOf(tab).at(-1);
  return (last && inside(tab.history.present, last.definition)) ?? tab.history.present;
}

function changedIn(tab: Tab, change: (document: Document) => Document): Document {
  const last = pathOf(tab).at(-1);
  const shown = shownOf(tab);
  return last ? putBack(tab.history.present, last.definition, change(shown)) : change(shown);
}

function needsLayout(tab: Tab): boolean {
  const shown = shownOf(tab);
  return Object.keys(shown.nodes).some((id) => positionOf(shown, id) === null);
}

export function activeDocument(): Document | undefined {
  const tab = activeTab();
  return tab && shownOf(tab);
}

export function useShownDocument(): Document | undefined {
  const tab = useActiveTab();
  return tab && shownOf(tab);
}

/** Where the nodes that are shown stand in the whole ("" or "small/"); null where nothing says through which node. */
export function prefixOf(tab: Tab): string | null {
  const path = pathOf(tab);
  return path.some(({ node }) => node === null) ? null : path.map(({ node }) => `${node}/`).join("");
}

/** What to run up to for a node that is shown; null where it cannot be said. */
export function targetOf(tab: Tab, id: string): string | null {
  return targetIn(tab.history.present, pathOf(tab), id);
}

export function usePrefix(): string | null {
  return useWorkspace(({ tabs, active }) => {
    const tab = tabs.find(({ id }) => id === active);
    return tab ? prefixOf(tab) : "";
  });
}

export function tabOf(id: string): Tab | undefined {
  return useWorkspace.getState().tabs.find((tab) => tab.id === id);
}

export function activeTab(): Tab | undefined {
  const { tabs, active } = useWorkspace.getState();
  return tabs.find((tab) => tab.id === active);
}

export function useActiveTab(): Tab | undefined {
  return useWorkspace(({ tabs, active }) => tabs.find((tab) => tab.id === active));
}

export function shownNow(): Shown | undefined {
  const tab = activeTab();
  return tab && { tab: tab.id, path: tab.path };
}

const OUTSIDE: readonly Step[] = [];

export function useShown(): Shown {
  const tab = useWorkspace(({ active }) => active);
  const path = useWorkspace(({ tabs }) => tabs.find(({ id }) => id === tab)?.path ?? OUTSIDE);
  return useMemo(() => ({ tab, path }), [tab, path]);
}

/** The definition whose inside is shown, or null. */
export function useOpenDefinition(): string | null {
  const tab = useActiveTab();
  return (tab && pathOf(tab).at(-1)?.definition) ?? null;
}

export function isDirty(tab: Tab): boolean {
  return tab.history.present !== tab.clean && !sameDocument(tab.history.present, tab.clean);
}
