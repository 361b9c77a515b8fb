/** Tabs of open workflows, and what is done with the one at hand. */

import { FormInput, Home, Images, Library, ListTree, ListVideo, Play, Plus, Redo2, Search, TriangleAlert, Undo2, Workflow, X } from "lucide-react";

import { useEffect, useRef } from "react";

import { commandOf } from "../commands/list";
import { shown } from "../commands/keys";
import { progressOf } from "../graph/run";
import { run } from "../store/actions";
import { useCheck } from "../store/check";
import { FINAL, listed, useServer } from "../store/server";
import { useIsSmall } from "../store/screen";
import { useShelf } from "../store/shelf";
import { setView, togglePanel, useUi, type Panel, type View } from "../store/ui";
import { HOME, isDirty, useActiveTab, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { IconButton } from "./IconButton";
import { RunMenu } from "./RunMenu";
import { ThemeMenu } from "./ThemeMenu";
import { SmallTopBar } from "./SmallBars";

export function TopBar() {
  return useIsSmall() ? <SmallTopBar /> : <WideBar />;
}

function WideBar() {
  return (
    <header className="top-bar">
      <Tabs />
      <div className="bar-tools">
        <EditTools />
        <PanelTools />
        <div className="run-group">
          <RunButton />
          <RunMenuOfTab />
        </div>
      </div>
    </header>
  );
}

export function Tabs() {
  const { tabs, active } = useWorkspace();
  const { activate, close, open } = useWorkspace.getState();
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.querySelector(".is-active")?.scrollIntoView({ inline: "nearest", block: "nearest" });
  }, [active]);
  return (
    <nav ref={box} className="tabs" aria-label={text.bar.tabs}>
      <button
        type="button"
        className={`tab home ${active === HOME ? "is-active" : ""}`}
        aria-label={text.app}
        aria-current={active === HOME ? "page" : undefined}
        onClick={() => activate(HOME)}
      >
        <Home size={15} aria-hidden />
        <span>{text.app}</span>
      </button>
      {tabs.map((tab) => {
        const title = tab.title || text.untitled;
        const dirty = tab.saved !== null && isDirty(tab);
        return (
          <span key={tab.id} className={`tab ${tab.id === active ? "is-active" : ""}`}>
            <button
              type="button"
              className="tab-name"
              aria-current={tab.id === active ? "page" : undefined}
              onClick={() => activate(tab.id)}
            >
              {title}
              {dirty && <span className="tab-dirty" title={text.bar.dirty} />}
            </button>
            <button type="button" className="tab-close" aria-label={text.bar.close(title)} onClick={() => close(tab.id)}>
              <X size={12} aria-hidden />
            </button>
          </span>
        );
      })}
      <IconButton label={text.bar.newTab} icon={Plus} onClick={() => open({ nodegraph: 1, nodes: {} })} />
    </nav>
  );
}

function EditTools() {
  const tab = useActiveTab();
  return (
    <div className="tool-group">
      {tab && <ShelfButton />}
      <UndoButtons />
      {tab && <Views />}
      <button type="button" className="search-button" aria-label={`${text.bar.palette} ${shown("Mod+k")}`} onClick={commandOf("palette")?.run}>
        <Search size={14} aria-hidden />
        <kbd>{shown("Mod+k")}</kbd>
      </button>
      <ThemeMenu />
    </div>
  );
}

function ShelfButton() {
  const isOpen = useShelf((shelf) => shelf.isOpen);
  const hasNodes = useUi(({ view }) => view !== "form");
  const toggle = commandOf("shelf");
  const keys = toggle?.keys?.[0] ?? "";
  return <IconButton label={text.shelf.open} title={`${text.shelf.open} (${shown(keys)})`} icon={Library} pressed={isOpen && hasNodes} onClick={toggle?.run} />;
}

export function UndoButtons() {
  const tab = useActiveTab();
  const { undo, redo } = useWorkspace.getState();
  if (tab === undefined) return null;
  const { past, future } = tab.history;
  return (
    <>
      <IconButton label={text.bar.undo} icon={Undo2} data-steps={past.length} disabled={past.length === 0} onClick={undo} />
      <IconButton label={text.bar.redo} icon={Redo2} disabled={future.length === 0} onClick={redo} />
    </>
  );
}

export const VIEWS = { graph: Workflow, list: ListTree, form: FormInput } as const;

function Views() {
  const shown = useUi((ui) => ui.view);
  return (
    <div className="segments" role="group" aria-label={text.bar.views}>
      {Object.entries(VIEWS).map(([view, Icon]) => (
        <button key={view} type="button" aria-pressed={view === shown} onClick={() => setView(view as View)}>
          <Icon size={14} aria-hidden /> {text.bar[view as View]}
        </button>
      ))}
    </div>
  );
}

function PanelTools() {
  const panel = useUi((ui) => ui.panel);
  const problems = useCheck((check) => check.problems.length);
  const alive = useServer(({ jobs }) => listed(jobs).filter(({ state }) => !FINAL.has(state)).length);
  const tool = (name: Panel, icon: typeof Images, count: number, tone: string) => (
    <span className="counted">
      <IconButton label={text.panel[name as "queue"]} icon={icon} pressed={panel === name} onClick={() => togglePanel(name)} />
      {count > 0 && <span className={`count ${tone}`}>{count}</span>}
    </span>
  );
  return (
    <div className="tool-group">
      {tool("problems", TriangleAlert, problems, "is-bad")}
      {tool("results", Images, 0, "")}
      {tool("queue", ListVideo, alive, "")}
    </div>
  );
}

export function RunButton() {
  const tab = useActiveTab();
  const job = useServer(({ jobs }) => (tab?.job ? jobs.get(tab.job) : undefined));
  const part = useServer(({ runs }) => (tab?.job && runs[tab.job] ? progressOf(runs[tab.job] ?? NO_RUN) : 0));
  if (tab === undefined) return null;
  const isRunning = job !== undefined && !FINAL.has(job.state);
  return (
    <button
      type="button"
      className={`run-button ${isRunning ? "is-running" : ""}`}
      style={{ "--part": isRunning ? part : 0 }}
      title={`${text.commands.run} (${shown("Mod+Enter")})`}
      onClick={() => void run()}
    >
      <Play size={14} aria-hidden fill="currentColor" /> {text.bar.run}
    </button>
  );
}

export function RunMenuOfTab() {
  return useActiveTab() ? <RunMenu /> : null;
}

const NO_RUN = { job: "", seq: 0, nodes: {}, saved: [], total: 0 };
