/** The whole page. */

import { useEffect } from "react";

import { Canvas } from "../canvas/Canvas";
import { SocketMenu } from "../canvas/SocketMenu";
import { useShortcuts } from "../commands/shortcuts";
import { ListView } from "../list/ListView";
import { FormView } from "../panels/FormView";
import { LookPopover } from "../panels/LookPopover";
import { MaskDialog } from "../panels/MaskDialog";
import { SheetDialog } from "../panels/SheetDialog";
import { Shelf } from "../panels/Shelf";
import { SidePanel } from "../panels/SidePanel";
import { SweepDialog } from "../panels/SweepDialog";
import { catchUp, useServer } from "../store/server";
import { useIsLight, useIsSmall } from "../store/screen";
import { useUi, type View } from "../store/ui";
import { useActiveTab, type Tab } from "../store/workspace";
import { text } from "../text/en";
import { Breadcrumbs } from "./Breadcrumbs";
import { FindDialog } from "./FindDialog";
import { DropZone } from "./DropZone";
import { HelpDialog } from "./HelpDialog";
import { LoginPage } from "./LoginPage";
import { Notices } from "./Notices";
import { OpenDialog } from "./OpenDialog";
import { Palette } from "./Palette";
import { PictureDialog } from "./PictureDialog";
import { RunStatus } from "./RunStatus";
import { SaveDialog } from "./SaveDialog";
import { ShortcutsDialog } from "./ShortcutsDialog";
import { BottomBar } from "./SmallBars";
import { StartPage } from "./StartPage";
import { TopBar } from "./TopBar";

export function App() {
  const theme = useUi((ui) => ui.theme);
  const isLight = useIsLight();
  const view = useUi((ui) => ui.view);
  const status = useServer((server) => server.status);
  const tab = useActiveTab();
  const job = tab?.job ?? null;
  const isSmall = useIsSmall();
  useShortcuts();

  useEffect(() => {
    document.documentElement.dataset.theme = theme === "system" ? (isLight ? "light" : "dark") : theme;
  }, [theme, isLight]);
  useEffect(() => {
    document.title = tab ? `${tab.title || text.untitled} · ${text.app}` : text.app;
  }, [tab]);
  useEffect(() => {
    if (job !== null && status === "ready") catchUp(job);
  }, [job, status]);

  if (status === "logged out" || status === "away") return <LoginPage away={status === "away"} />;
  return (
    <DropZone>
      <TopBar />
      <main className="stage">
        <Shelf />
        {tab === undefined ? <StartPage /> : view === "form" ? <FormView tab={tab} /> : <GraphView tab={tab} view={view} />}
        <SidePanel />
      </main>
      {isSmall && <BottomBar />}
      <Notices />
      <Palette />
      <FindDialog />
      <RunStatus />
      <SocketMenu />
      <ShortcutsDialog />
      <HelpDialog />
      <SaveDialog />
      <OpenDialog />
      <SweepDialog />
      <SheetDialog />
      <PictureDialog />
      <MaskDialog />
      <LookPopover />
    </DropZone>
  );
}

function GraphView({ tab, view }: { readonly tab: Tab; readonly view: View }) {
  return (
    <div className="graph-view">
      <h1 className="is-hidden">{tab.title || text.untitled}</h1>
      <Breadcrumbs tab={tab} />
      {view === "list" ? <ListView key={tab.id} tab={tab} /> : <Canvas tab={tab} />}
    </div>
  );
}
