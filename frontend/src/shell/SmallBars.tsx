/** The bars of a small screen: what is open and Run at the top, views and panels at the bottom, all else in a menu. */

import { Images, ListVideo, Menu, TriangleAlert } from "lucide-react";
import { DropdownMenu } from "radix-ui";

import { commandOf } from "../commands/list";
import { later, type Entry } from "../commands/menus";
import { useCheck } from "../store/check";
import { FINAL, listed, useServer } from "../store/server";
import { setShelf, useShelf } from "../store/shelf";
import { setView, togglePanel, useUi, type Panel } from "../store/ui";
import { useActiveTab } from "../store/workspace";
import { text } from "../text/en";
import { menuHome } from "./menuHome";
import { MenuItems } from "./MenuItems";
import { RunButton, RunMenuOfTab, Tabs, UndoButtons, VIEWS } from "./TopBar";

const ALWAYS = ["palette", "templates", "new", "open", "theme", "shortcuts"];
const OF_TABS = ["find", "add", "shelf", "save", "save-as", "export", "fit", "layout", "sweep", "close"];

export function SmallTopBar() {
  return (
    <header className="top-bar is-small">
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger className="icon-button" aria-label={text.bar.menu} title={text.bar.menu}>
          <Menu size={18} aria-hidden />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal container={menuHome()}>
          <DropdownMenu.Content className="menu" align="start" sideOffset={6} collisionPadding={8}>
            <Actions />
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <Tabs />
      <UndoButtons />
      <div className="run-group">
        <RunButton />
        <RunMenuOfTab />
      </div>
    </header>
  );
}

function Actions() {
  const tab = useActiveTab();
  const entries = (tab ? [...ALWAYS, ...OF_TABS] : ALWAYS).flatMap((id): Entry[] => {
    const command = commandOf(id);
    if (command === undefined) return [];
    return [{ label: command.title, apart: id === OF_TABS[0], run: later(command.run) }];
  });
  return <MenuItems entries={entries} />;
}

export function BottomBar() {
  const tab = useActiveTab();
  return (
    <nav className="bottom-bar" aria-label={text.bar.views}>
      {tab && <ViewButtons />}
      <PanelButtons />
    </nav>
  );
}

function ViewButtons() {
  const shown = useUi((ui) => ui.view);
  const hasShelf = useShelf((shelf) => shelf.isOpen);
  const isCovered = useUi((ui) => ui.panel !== null) || hasShelf;
  return Object.entries(VIEWS).map(([name, Icon]) => {
    const view = name as keyof typeof VIEWS;
    return (
      <button
        key={view}
        type="button"
        aria-pressed={view === shown && !isCovered}
        onClick={() => {
          useUi.setState({ panel: null });
          setShelf(false);
          setView(view);
        }}
      >
        <Icon size={18} aria-hidden />
        {text.bar[view]}
      </button>
    );
  });
}

function PanelButtons() {
  const panel = useUi((ui) => ui.panel);
  const problems = useCheck((check) => check.problems.length);
  const alive = useServer(({ jobs }) => listed(jobs).filter(({ state }) => !FINAL.has(state)).length);
  const button = (name: Exclude<Panel, "form">, Icon: typeof Images, count = 0, tone = "") => (
    <button type="button" aria-pressed={panel === name} onClick={() => togglePanel(name)}>
      <span className="counted">
        <Icon size={18} aria-hidden />
        {count > 0 && <span className={`count ${tone}`}>{count}</span>}
      </span>
      {text.panel[name]}
    </button>
  );
  return (
    <>
      {button("problems", TriangleAlert, problems, "is-bad")}
      {button("results", Images)}
      {button("queue", ListVideo, alive)}
    </>
  );
}
