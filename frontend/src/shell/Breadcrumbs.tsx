/** Where one is: the workflow, and the subgraphs that were entered, each with its title to be written over. */

import { BookDown, BookUp, ChevronRight, CornerLeftUp, Workflow } from "lucide-react";
import { useState } from "react";

import { leave } from "../commands/subgraphs";
import { changeDefinition, countUses } from "../graph/definitions";
import { definitionOf } from "../graph/scope";
import { newerThan, publish, takeNewer, useLibrary } from "../store/library";
import { pathOf, useWorkspace, type Step, type Tab } from "../store/workspace";
import { text } from "../text/en";
import { IconButton } from "./IconButton";

export function Breadcrumbs({ tab }: { readonly tab: Tab }) {
  const path = pathOf(tab);
  const { enter } = useWorkspace.getState();
  const published = useLibrary((library) => library.published);
  const last = path.at(-1);
  if (last === undefined) return null;
  const newer = newerThan(last.definition, published);
  const uses = countUses(tab.history.present, last.definition);
  return (
    <nav className="breadcrumbs" aria-label={text.subgraph.path}>
      <IconButton label={text.commands.leave} icon={CornerLeftUp} onClick={leave} />
      <button type="button" className="crumb" onClick={() => enter([])}>
        <Workflow size={13} aria-hidden /> {tab.title || text.untitled}
      </button>
      {path.map((step, index) => (
        <span key={`${index} ${step.definition}`} className="crumb-step">
          <ChevronRight size={13} aria-hidden />
          {index === path.length - 1 ? (
            <Title tab={tab} step={step} />
          ) : (
            <button type="button" className="crumb" onClick={() => enter(path.slice(0, index + 1))}>
              {titleOf(tab, step)}
            </button>
          )}
        </span>
      ))}
      <span className="crumb-uses">{text.subgraph.uses(uses)}</span>
      {newer && (
        <IconButton label={text.subgraph.newer(newer.revision)} icon={BookDown} onClick={() => takeNewer(last.definition, newer)} />
      )}
      <IconButton label={text.subgraph.publish} icon={BookUp} onClick={() => void publish(last.definition)} />
    </nav>
  );
}

function titleOf(tab: Tab, { definition }: Step): string {
  return definitionOf(tab.history.present, definition)?.title ?? definition;
}

function Title({ tab, step }: { readonly tab: Tab; readonly step: Step }) {
  const [draft, setDraft] = useState<string | null>(null);
  const title = titleOf(tab, step);
  const finish = () => {
    const wanted = draft?.trim() ?? "";
    setDraft(null);
    if (wanted === "" || wanted === title) return;
    useWorkspace
      .getState()
      .editAll((document) => changeDefinition(document, step.definition, (one) => ({ ...one, title: wanted })));
  };
  return (
    <input
      className="crumb-title"
      aria-label={text.subgraph.title}
      aria-current="page"
      size={Math.max(8, (draft ?? title).length)}
      value={draft ?? title}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setDraft(null);
      }}
    />
  );
}
