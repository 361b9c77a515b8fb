/** What is open on the screen, and what is told. Nothing here belongs to a workflow. */

import { create } from "zustand";

import type { Point, Port } from "../graph/document";
import type { SocketOf } from "../graph/partners";
import type { Wanted } from "../graph/search";

export type Panel = "queue" | "results" | "problems" | "form";
export type Theme = "dark" | "light";
export type Dialog = "palette" | "save" | "open" | "shortcuts" | "sweep";

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
  readonly notices: readonly Notice[];
  readonly picture: OpenPicture | null;
  /** The picture of the gallery that another one is to be compared with. */
  readonly picked: { readonly url: string; readonly title: string } | null;
  readonly painting: MaskOf | null;
  /** How many pictures stand in a row of the gallery. */
  readonly columns: number;
  /** The sweep whose contact sheet is open. */
  readonly sheet: string | null;
  /** A node to bring into view; `at` makes each wish a new one. */
  readonly wish: { readonly node: string | null; readonly at: number } | null;
  /** Whether the canvas is the form. */
  readonly form: boolean;
}

const THEME = "nodegraph.theme";

export const useUi = create<Ui>()(() => ({
  panel: null,
  theme: firstTheme(),
  dialog: null,
  adding: null,
  linking: null,
  notices: [],
  picture: null,
  picked: null,
  painting: null,
  columns: 2,
  sheet: null,
  wish: null,
  form: false,
}));

function firstTheme(): Theme {
  const kept = localStorage.getItem(THEME);
  if (kept === "dark" || kept === "light") return kept;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(THEME, theme);
  useUi.setState({ theme });
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
