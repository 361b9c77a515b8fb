/** The panel at the side: queue, results or problems. */

import { X } from "lucide-react";

import { IconButton } from "../shell/IconButton";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { ProblemsPanel } from "./ProblemsPanel";
import { QueuePanel } from "./QueuePanel";
import { ResultsPanel } from "./ResultsPanel";

const PANELS = { queue: QueuePanel, results: ResultsPanel, problems: ProblemsPanel } as const;

export function SidePanel() {
  const panel = useUi((ui) => ui.panel);
  if (panel === null || panel === "form") return null;
  const Content = PANELS[panel];
  return (
    <aside className="side-panel" aria-label={text.panel[panel]}>
      <header>
        <h2>{text.panel[panel]}</h2>
        <IconButton label={text.panel.close} icon={X} onClick={() => useUi.setState({ panel: null })} />
      </header>
      <Content />
    </aside>
  );
}
