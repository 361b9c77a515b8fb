import "@fontsource-variable/inter/wght.css";
import "@xyflow/react/dist/base.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/start.css";
import "./styles/canvas.css";
import "./styles/node.css";
import "./styles/list.css";
import "./styles/widgets.css";
import "./styles/menus.css";
import "./styles/panels.css";
import "./styles/subgraph.css";
import "./styles/annotations.css";
import "./styles/look.css";
import "./styles/sweep.css";
import "./styles/queue.css";
import "./styles/run.css";
import "./styles/gallery.css";
import "./styles/help.css";
import "./styles/shelf.css";
import "./styles/small.css";
import "./styles/mask.css";
import "./styles/saved.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./shell/App";
import { watchProblems } from "./store/check";
import { tellError } from "./store/errors";
import { keepWorkspace } from "./store/keeping";
import { refreshLibrary } from "./store/library";
import { watchLooks } from "./store/look";
import { watchPointer } from "./store/pointer";
import { watchQueue } from "./store/queue";
import { watchRunning } from "./store/running";
import { startServer, useServer } from "./store/server";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");
await keepWorkspace();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
// What nobody else caught is told, too.
window.addEventListener("unhandledrejection", ({ reason }) => tellError(reason));
watchPointer();
watchProblems();
watchLooks();
watchQueue();
watchRunning();
await startServer();
if (useServer.getState().status === "ready") await refreshLibrary().catch(tellError);
