/** The head of a node: its title, which can be written over, and how far it is. */

import { LogIn } from "lucide-react";
import { memo, useState } from "react";

import { enterNode } from "../commands/subgraphs";
import type { NodeType } from "../graph/catalogue";
import type { NodeEntry } from "../graph/document";
import { definitionRunBy } from "../graph/definitions";
import { setTitle } from "../graph/edits";
import type { NodeRun } from "../graph/run";
import { IconButton } from "../shell/IconButton";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";

interface Props {
  readonly id: string;
  readonly entry: NodeEntry;
  readonly type: NodeType;
  readonly run: NodeRun | undefined;
}

export const NodeTitle = memo(function NodeTitle({ id, entry, type, run }: Props) {
  const [isWriting, setWriting] = useState(false);
  const { edit } = useWorkspace.getState();
  const part = run?.state === "running" && run.total ? (run.done ?? 0) / run.total : null;
  const isEntered = useShownDefinition(entry) !== null;
  const finish = (title: string) => {
    setWriting(false);
    if (title.trim() !== (entry.title ?? type.title)) edit((document) => setTitle(document, id, title.trim()));
  };
  return (
    <header
      className="node-head"
      title={`${type.id}\n${type.help}`}
      onDoubleClick={() => setWriting(true)}
    >
      <span className="node-dot" />
      {isWriting ? (
        <input
          className="node-title nodrag"
          defaultValue={entry.title ?? type.title}
          autoFocus
          onFocus={(event) => event.target.select()}
          onBlur={(event) => finish(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") finish(event.currentTarget.value);
            if (event.key === "Escape") setWriting(false);
          }}
        />
      ) : (
        <h2 className="node-title">{entry.title ?? type.title}</h2>
      )}
      {entry.title && <span className="node-kind">{type.title}</span>}
      {entry.mode && <span className="node-mode">{text.node[entry.mode]}</span>}
      {isEntered && (
        <IconButton className="node-enter nodrag" label={text.subgraph.enter} icon={LogIn} onClick={() => enterNode(id)} />
      )}
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
