/** The head of a node: its title, which can be written over, and how far it is. */

import { ChevronDown, ChevronRight, LogIn, MessageSquareText } from "lucide-react";
import { memo } from "react";

import { enterNode } from "../commands/subgraphs";
import type { NodeType } from "../graph/catalogue";
import { toggleCollapsed } from "../graph/collapse";
import type { NodeEntry } from "../graph/document";
import { definitionRunBy } from "../graph/definitions";
import type { NodeRun } from "../graph/run";
import { IconButton } from "../shell/IconButton";
import { useUi } from "../store/ui";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { focusNode } from "./places";
import { TitleField } from "./TitleField";

interface Props {
  readonly id: string;
  readonly entry: NodeEntry;
  readonly type: NodeType;
  readonly run: NodeRun | undefined;
  readonly isCollapsed: boolean;
  readonly comment: string;
}

export const NodeTitle = memo(function NodeTitle({ id, entry, type, run, isCollapsed, comment }: Props) {
  const isWriting = useUi((ui) => ui.renaming === id);
  const part = run?.state === "running" && run.total ? (run.done ?? 0) / run.total : null;
  const isEntered = useShownDefinition(entry) !== null;
  return (
    <header
      className="node-head"
      title={`${type.id}\n${type.help}`}
      onDoubleClick={() => useUi.setState({ renaming: id })}
    >
      <span className="node-dot" />
      {isWriting ? (
        <TitleField id={id} title={entry.title ?? type.title} />
      ) : (
        <h2 className="node-title">{entry.title ?? type.title}</h2>
      )}
      {entry.title && <span className="node-kind">{type.title}</span>}
      {entry.mode && <span className="node-mode">{text.node[entry.mode]}</span>}
      {isCollapsed && comment !== "" && (
        <IconButton
          className="node-remark nodrag"
          label={text.comments.mark(comment)}
          icon={MessageSquareText}
          onClick={() => useUi.setState({ commenting: id })}
        />
      )}
      {isEntered && (
        <IconButton className="node-enter nodrag" label={text.subgraph.enter} icon={LogIn} onClick={() => enterNode(id)} />
      )}
      <IconButton
        className="node-fold nodrag"
        label={isCollapsed ? text.node.expand : text.node.collapse}
        icon={isCollapsed ? ChevronRight : ChevronDown}
        onClick={({ detail }) => {
          useWorkspace.getState().edit((document) => toggleCollapsed(document, [id]));
          // Pressed with a pointer: the next key is for the graph, and would press the button again.
          if (detail > 0) focusNode(id);
        }}
      />
      {run?.state === "running" && (
        <span
          className={`node-progress ${part === null ? "is-unknown" : ""}`}
          role="progressbar"
          aria-label={text.bar.running}
          aria-valuenow={part === null ? undefined : Math.round(part * 100)}
          style={{ "--part": part ?? 1 }}
        />
      )}
    </header>
  );
});

/** The subgraph that a node runs, as its type or as the body of a loop. */
function useShownDefinition(entry: NodeEntry): string | null {
  const document = useShownDocument();
  return document ? definitionRunBy(document, entry) : null;
}
