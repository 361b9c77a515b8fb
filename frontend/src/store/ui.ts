/** What is open on the screen, and what is told. Nothing here belongs to a workflow. */

import { create } from "zustand";

import type { Point, Port } from "../graph/document";
import type { SocketOf } from "../graph/partners";
import type { Wanted } from "../graph/search";
import { keepPreference, preference } from "./preferences";
import { isSmall } from "./screen";

export type Panel = "queue" | "results" | "problems" | "form";
/** `system`: as the system says, now and when it changes. */
export type Theme = "system" | "dark" | "light";
/** What stands in the middle of the page: the canvas, the same graph as a list, or its named inputs. */
export type View = "graph" | "list" | "form";
export type Dialog = "palette" | "save" | "open" | "shortcuts" | "sweep" | "find" | "help";

export interface Notice {
  readonly id: number;
  readonly kind: "info" | "error";
  readonly text: string;
  readonly detail?: string;
}

/** Where a node is to be added, and what link it has to take up. */
export interface Adding {
  readonly screen: Point;
  readonly at: Point;
  readonly wanted?: Wanted;
  readonly link?: Port;
}

/** A picture in full, and the one that it is compared with. */
export interface OpenPicture {
  readonly url: string;
  readonly title: string;
  readonly compare?: { readonly url: string; readonly title: string };
}

/** A mask that is painted: the input that names the picture, and the picture. */
export interface MaskOf {
  readonly port: Port;
  readonly file: string;
}

interface Ui {
  readonly panel: Panel | null;
  readonly theme: Theme;
  readonly dialog: Dialog | null;
  readonly adding: Adding | null;
  /** The node, and the socket once it is chosen, that is being linked by keyboard. */
  readonly linking: { readonly node: string; readonly socket: SocketOf | null } | null;
  /** The first end of a link that is being made with fingers. */
  readonly tapped: SocketOf | null;
  readonly notices: readonly Notice[];
  readonly picture: OpenPicture | null;
  /** The picture of the gallery that another one is to be compared with. */
  readonly picked: { readonly url: string; readonly title: string } | null;
  readonly painting: MaskOf | null;
  /** How many pictures stand in a row of the gallery. */
  readonly columns: number;
  /** Whether nodes that are dragged keep to the dots of the canvas. */
  readonly snap: boolean;
  /** The sweep whose contact sheet is open. */
  readonly sheet: string | null;
  /** A node to bring into view; `at` makes each wish a new one. */
  readonly wish: { readonly node: string | null; readonly at: number } | null;
  readonly view: View;
  /** The node whose title is being written. */
  readonly renaming: string | null;
  /** The node whose comment is being written. */
  readonly commenting: string | null;
}

/** How few and how many pictures may stand in a row of the gallery. */
export const COLUMNS = { fewest: 1, most: 4, usual: 2 } as const;

export const useUi = create<Ui>()(() => ({
  panel: null,
  theme: firstTheme(),
  dialog: null,
  adding: null,
  linking: null,
  tapped: null,
  notices: [],
  picture: null,
  picked: null,
  columns: firstColumns(),
  snap: preference("snap") === "yes",
  painting: null,
  sheet: null,
  wish: null,
  view: firstView(),
  renaming: null,
  commenting: null,
}));

function firstTheme(): Theme {
  const kept = preference("theme");
  return kept === "dark" || kept === "light" ? kept : "system";
}

export function setTheme(theme: Theme): void {
  keepPreference("theme", theme);
  useUi.setState({ theme });
}

function firstColumns(): number {
  const kept = Number(preference("columns"));
  return Number.isInteger(kept) && kept >= COLUMNS.fewest && kept <= COLUMNS.most ? kept : COLUMNS.usual;
}

export function setSnap(snap: boolean): void {
  keepPreference("snap", snap ? "yes" : "no");
  useUi.setState({ snap });
}

export function setColumns(columns: number): void {
  keepPreference("columns", String(columns));
  useUi.setState({ columns });
}

/** What was chosen last; each for small and for large screens. */
function firstView(): View {
  const kept = preference(viewKey());
  if (kept === "graph" || kept === "list" || kept === "form") return kept;
  return isSmall() ? "list" : "graph";
}

function viewKey(): string {
  return isSmall() ? "view.small" : "view";
}

export function setView(view: View): void {
  keepPreference(viewKey(), view);
  useUi.setState({ view });
}

/** Where nodes are seen: out of the form, and nowhere else to. */
export function showNodes(): void {
  useUi.setState(({ view }) => (view === "form" ? { view: isSmall() ? "list" : "graph" } : {}));
}

export function togglePanel(panel: Panel): void {
  useUi.setState((ui) => ({ panel: ui.panel === panel ? null : panel }));
}

let notices = 0;

/** Tell something for a while. */
export function tell(kind: Notice["kind"], text: string, detail = ""): void {
  notices += 1;
  const notice = { id: notices, kind, text, ...(detail ? { detail } : {}) };
  useUi.setState((ui) => ({ notices: [...ui.notices.slice(-3), notice] }));
  window.setTimeout(() => dismiss(notice.id), kind === "error" ? 8_000 : 4_000);
}

export function dismiss(id: number): void {
  useUi.setState((ui) => ({ notices: ui.notices.filter((one) => one.id !== id) }));
}

/** A wish that is no node: no id looks like this. */
export const ACTUAL_SIZE = "100 %";

/** Bring a node into view, or everything; or show things as large as they are. */
export function show(node: string | null): void {
  useUi.setState({ wish: { node, at: Date.now() } });
}
