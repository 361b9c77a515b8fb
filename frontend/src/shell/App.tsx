/** The whole page. */

import { useEffect } from "react";

import { Canvas } from "../canvas/Canvas";
import { SocketMenu } from "../canvas/SocketMenu";
import { useShortcuts } from "../commands/shortcuts";
import { FormView } from "../panels/FormView";
import { LookPopover } from "../panels/LookPopover";
import { MaskDialog } from "../panels/MaskDialog";
import { SheetDialog } from "../panels/SheetDialog";
import { SidePanel } from "../panels/SidePanel";
import { SweepDialog } from "../panels/SweepDialog";
import { catchUp, useServer } from "../store/server";
import { useUi } from "../store/ui";
import { useActiveTab, type Tab } from "../store/workspace";
import { text } from "../text/en";
import { Breadcrumbs } from "./Breadcrumbs";
import { DropZone } from "./DropZone";
import { LoginPage } from "./LoginPage";
import { Notices } from "./Notices";
import { OpenDialog } from "./OpenDialog";
import { Palette } from "./Palette";
import { PictureDialog } from "./PictureDialog";
import { SaveDialog } from "./SaveDialog";
import { StartPage } from "./StartPage";
import { TopBar } from "./TopBar";

export function App() {
  const theme = useUi((ui) => ui.theme);
  const isForm = useUi((ui) => ui.form);
  const status = useServer((server) => server.status);
  const tab = useActiveTab();
  const job = tab?.job ?? null;
  useShortcuts();

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
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
        {tab === undefined ? <StartPage /> : isForm ? <FormView tab={tab} /> : <GraphView tab={tab} />}
        <SidePanel />
      </main>
      <Notices />
      <Palette />
      <SocketMenu />
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

function GraphView({ tab }: { readonly tab: Tab }) {
  return (
    <div className="graph-view">
      <h1 className="is-hidden">{tab.title || text.untitled}</h1>
      <Breadcrumbs tab={tab} />
      <Canvas tab={tab} />
    </div>
  );
}
