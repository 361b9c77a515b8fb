/** All actions: the palette lists them, shortcuts call them. */

import { cancelRun, run, save } from "../store/actions";
import { ACTUAL_SIZE, setSnap, setTheme, setView, show, tell, togglePanel, useUi, type View } from "../store/ui";
import { tellError } from "../store/errors";
import { isLight } from "../store/screen";
import { paintMask } from "../store/masks";
import { useServer } from "../store/server";
import { publish } from "../store/library";
import { activeDocument, activeTab, HOME, pathOf, targetOf, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { printJson } from "../graph/json";
import { isBoundary } from "../graph/scope";
import { typeOf } from "../graph/nodetypes";
import { paintableOf } from "../graph/pictures";
import { definitionAt, enterSelected, groupSelected, leave, newSubgraph, ungroupSelected } from "./subgraphs";
import { openFind } from "./find";
import { walk } from "./walking";
import { addWaysToSelected } from "./ways";
import { ALIGNING } from "./aligning";
import { toggleShelf } from "./shelf";
import { lookAtSelected } from "./looking";
import { collapseSelected, copied, cutSelected, duplicate, hasSelection, pasteText, removeSelected, selectAll, toggleMode } from "./selection";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: keyof typeof text.commands.groups;
  readonly keys?: readonly string[];
  /** Works while a text field has the focus. */
  readonly always?: boolean;
  /** The browser does it: the shortcut is only shown. */
  readonly native?: boolean;
  readonly run: () => void;
}

const t = text.commands;
const workspace = useWorkspace.getState();

export const arranging = new EventTarget();

export const COMMANDS: readonly Command[] = [
  { id: "run", title: t.run, group: "run", keys: ["Mod+Enter"], always: true, run: () => void run() },
  { id: "run-to", title: t.runTo, group: "run", keys: ["Mod+Shift+Enter"], run: runToSelected },
  { id: "cancel", title: t.cancel, group: "run", keys: ["Mod+."], run: () => void cancelRun() },
  { id: "sweep", title: text.sweep.command, group: "run", run: askForSweep },
  { id: "look", title: text.look.command, group: "run", keys: ["i"], run: lookAtSelected },
  { id: "undo", title: t.undo, group: "edit", keys: ["Mod+z"], run: workspace.undo },
  { id: "redo", title: t.redo, group: "edit", keys: ["Mod+Shift+z", "Mod+y"], run: workspace.redo },
  { id: "copy", title: t.copy, group: "edit", keys: ["Mod+c"], native: true, run: () => void copy().catch(tellError) },
  { id: "cut", title: t.cut, group: "edit", keys: ["Mod+x"], native: true, run: () => void copy().then(cutSelected, tellError) },
  { id: "paste", title: t.paste, group: "edit", keys: ["Mod+v"], native: true, run: () => void pasteFromClipboard().catch(tellError) },
  { id: "duplicate", title: t.duplicate, group: "edit", keys: ["Mod+d"], run: duplicate },
  { id: "delete", title: t.remove, group: "edit", keys: ["Delete", "Backspace"], run: removeSelected },
  { id: "select-all", title: t.selectAll, group: "edit", keys: ["Mod+a"], run: selectAll },
  { id: "rename", title: t.rename, group: "edit", keys: ["F2"], run: renameSelected },
  { id: "comment", title: text.comments.command, group: "edit", keys: ["Shift+c"], run: commentOnSelected },
  { id: "bypass", title: t.bypass, group: "edit", keys: ["Mod+b"], run: () => toggleMode("bypass") },
  { id: "mute", title: t.mute, group: "edit", keys: ["Mod+m"], run: () => toggleMode("mute") },
  { id: "collapse", title: t.collapse, group: "edit", keys: ["c"], run: collapseSelected },
  { id: "group", title: t.group, group: "edit", keys: ["Mod+g"], run: groupSelected },
  { id: "ungroup", title: t.ungroup, group: "edit", keys: ["Mod+Shift+g"], run: ungroupSelected },
  { id: "new-subgraph", title: t.newSubgraph, group: "edit", run: newSubgraph },
  { id: "enter", title: t.enter, group: "view", keys: ["Mod+ArrowDown"], run: enterSelected },
  { id: "leave", title: t.leave, group: "view", keys: ["Mod+ArrowUp"], run: leave },
  { id: "publish", title: t.publish, group: "file", run: publishOpen },
  { id: "add", title: t.add, group: "edit", keys: ["Space", "a"], run: addAtCentre },
  { id: "frame", title: t.frame, group: "edit", keys: ["Shift+g"], run: () => arranging.dispatchEvent(new Event("frame")) },
  { id: "note", title: t.note, group: "edit", keys: ["n"], run: () => arranging.dispatchEvent(new Event("note")) },
  { id: "link", title: t.link, group: "edit", keys: ["k"], run: linkSelected },
  { id: "way", title: text.ways.command, group: "edit", keys: ["w"], run: addWaysToSelected },
  { id: "walk-right", title: t.walkRight, group: "view", keys: ["Alt+ArrowRight"], run: () => walk("right") },
  { id: "walk-left", title: t.walkLeft, group: "view", keys: ["Alt+ArrowLeft"], run: () => walk("left") },
  { id: "walk-down", title: t.walkDown, group: "view", keys: ["Alt+ArrowDown"], run: () => walk("down") },
  { id: "walk-up", title: t.walkUp, group: "view", keys: ["Alt+ArrowUp"], run: () => walk("up") },
  { id: "actual", title: t.actual, group: "view", keys: ["1"], run: () => show(ACTUAL_SIZE) },
  { id: "fit", title: t.fit, group: "view", keys: ["f"], run: () => show(null) },
  { id: "layout", title: t.layout, group: "view", keys: ["Shift+l"], run: () => arranging.dispatchEvent(new Event("arrange")) },
  ...ALIGNING,
  { id: "snap", title: t.snap, group: "view", run: switchSnap },
  { id: "paint", title: text.mask.command, group: "edit", run: paintSelected },
  { id: "theme", title: t.theme, group: "view", run: switchTheme },
  { id: "theme-system", title: t.themeSystem, group: "view", run: () => setTheme("system") },
  { id: "form", title: t.form, group: "view", keys: ["Shift+f"], run: () => switchView("form") },
  { id: "list", title: t.list, group: "view", keys: ["l"], run: () => switchView("list") },
  { id: "find", title: t.find, group: "view", keys: ["Mod+f"], always: true, run: openFind },
  { id: "shelf", title: text.shelf.command, group: "view", keys: ["Shift+a"], run: toggleShelf },
  { id: "queue", title: t.queue, group: "view", keys: ["q"], run: () => togglePanel("queue") },
  { id: "results", title: t.results, group: "view", keys: ["g"], run: () => togglePanel("results") },
  { id: "problems", title: t.problems, group: "view", keys: ["p"], run: () => togglePanel("problems") },
  { id: "shortcuts", title: t.shortcuts, group: "view", keys: ["?"], run: () => useUi.setState({ dialog: "shortcuts" }) },
  { id: "help", title: t.help, group: "view", keys: ["h"], run: askForHelp },
  { id: "palette", title: t.palette, group: "view", keys: ["Mod+k"], always: true, run: () => useUi.setState({ dialog: "palette" }) },
  { id: "save", title: t.save, group: "file", keys: ["Mod+s"], always: true, run: () => void saveOrAsk() },
  { id: "save-as", title: t.saveAs, group: "file", keys: ["Mod+Shift+s"], always: true, run: () => askForName() },
  { id: "open", title: t.open, group: "file", keys: ["Mod+o"], always: true, run: () => useUi.setState({ dialog: "open" }) },
  { id: "new", title: t.newTab, group: "file", run: () => void workspace.open({ nodegraph: 1, nodes: {} }) },
  { id: "close", title: t.closeTab, group: "file", run: () => workspace.close(useWorkspace.getState().active) },
  { id: "next", title: t.nextTab, group: "file", keys: ["Alt+PageDown"], run: nextTab },
  { id: "templates", title: t.templates, group: "file", run: () => workspace.activate(HOME) },
  { id: "export", title: t.exportJson, group: "file", run: exportJson },
];

export function commandOf(id: string): Command | undefined {
  return COMMANDS.find((command) => command.id === id);
}

function switchSnap(): void {
  const snap = !useUi.getState().snap;
  setSnap(snap);
  tell("info", snap ? text.align.snapped : text.align.free);
}

function paintSelected(): void {
  const document = activeDocument();
  const [id] = useWorkspace.getState().selected;
  const entry = id === undefined ? undefined : document?.nodes[id];
  const found = document && id !== undefined && entry ? paintableOf(entry, typeOf(document, id, useServer.getState().catalogue)) : null;
  if (found === null || id === undefined) tell("info", text.mask.select);
  else paintMask({ node: id, port: found.port }, found.file);
}

function runToSelected(): void {
  const tab = activeTab();
  if (tab === undefined || !hasSelection()) return;
  const targets = useWorkspace.getState().selected.map((id) => targetOf(tab, id)).filter((target) => target !== null);
  if (targets.length > 0) void run([...new Set(targets)]);
  else tell("info", text.notice.noTarget, text.notice.noTargetLead);
}

async function copy(): Promise<void> {
  const found = copied();
  if (found !== null) await navigator.clipboard.writeText(found);
}

async function pasteFromClipboard(): Promise<void> {
  pasteText(await navigator.clipboard.readText(), null);
}

/** The subgraph that was entered, or the one that a selected node uses, goes into the library. */
function publishOpen(): void {
  const tab = activeTab();
  const document = activeDocument();
  const [selected] = useWorkspace.getState().selected;
  const used = document && selected !== undefined ? definitionAt(document, selected) : null;
  const name = used ?? (tab ? pathOf(tab).at(-1)?.definition : undefined);
  if (name !== undefined && name !== null) void publish(name);
}

function linkSelected(): void {
  const [node] = useWorkspace.getState().selected;
  if (node !== undefined) useUi.setState({ linking: { node, socket: null } });
}

/** To another view of the graph, or back to the canvas. */
function switchView(view: View): void {
  setView(useUi.getState().view === view ? "graph" : view);
}

function renameSelected(): void {
  const [node] = useWorkspace.getState().selected;
  if (node === undefined || isBoundary(node) || activeDocument()?.nodes[node] === undefined) return;
  comeNear(node);
  useUi.setState({ renaming: node });
}

function commentOnSelected(): void {
  const [node] = useWorkspace.getState().selected;
  if (node === undefined || isBoundary(node) || activeDocument()?.nodes[node] === undefined) return;
  comeNear(node);
  useUi.setState({ commenting: node });
}

/** From afar there is no field to write in. */
function comeNear(node: string): void {
  if (document.querySelector(`.node.is-far[data-node="${CSS.escape(node)}"]`)) show(node);
}

function askForHelp(): void {
  const [node] = useWorkspace.getState().selected;
  if (node !== undefined && !isBoundary(node)) useUi.setState({ dialog: "help" });
}

function addAtCentre(): void {
  arranging.dispatchEvent(new Event("add"));
}

function switchTheme(): void {
  const { theme } = useUi.getState();
  const isLightNow = theme === "light" || (theme === "system" && isLight());
  setTheme(isLightNow ? "dark" : "light");
}

export async function saveOrAsk(): Promise<void> {
  const tab = activeTab();
  if (!tab?.saved) askForName();
  else if (await save(tab.saved.name)) askForName();
}

function askForName(): void {
  if (activeTab()) useUi.setState({ dialog: "save" });
}

function askForSweep(): void {
  if (activeTab()) useUi.setState({ dialog: "sweep" });
}

function nextTab(): void {
  const { tabs, active, activate } = useWorkspace.getState();
  const order = [HOME, ...tabs.map(({ id }) => id)];
  activate(order[(order.indexOf(active) + 1) % order.length] ?? HOME);
}

function exportJson(): void {
  const tab = activeTab();
  if (tab === undefined) return;
  const blob = new Blob([printJson(tab.history.present, 2), "\n"], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${tab.title || text.untitled}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
