/** The inputs or the outputs of a subgraph, seen from inside: linked, named, ordered and taken away here. */

import type { NodeProps } from "@xyflow/react";
import { ArrowUp, X } from "lucide-react";
import { memo, useState } from "react";

import type { Document } from "../graph/document";
import { ENTRANCE, isBoundaryEntry, NEW } from "../graph/scope";
import { moveDeclared, removeInput, renameInput, renameOutput } from "../graph/signature";
import { IconButton } from "../shell/IconButton";
import { activeTab, pathOf, useWorkspace } from "../store/workspace";
import { tell } from "../store/ui";
import { text } from "../text/en";
import { Reached, Socket } from "./Socket";
import type { FlowNode } from "./useScene";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
type Change = (document: Document, definition: string) => Document;

/** A change of the definition that is open, and of all that uses it. */
function changeOpen(change: Change): void {
  const tab = activeTab();
  const definition = tab ? pathOf(tab).at(-1)?.definition : undefined;
  if (definition !== undefined) useWorkspace.getState().editAll((document) => change(document, definition));
}

export const BoundaryCard = memo(function BoundaryCard({ id, data, selected }: NodeProps<FlowNode>) {
  const { entry, type, rows } = data.scene;
  const isEntrance = id === ENTRANCE;
  const names = isBoundaryEntry(entry) ? Object.keys(entry.declared) : [];
  const types = isEntrance ? type.outputs : Object.fromEntries(rows.map(({ input }) => [input.name, input.type]));
  return (
    <article
      className={`node boundary ${selected ? "is-selected" : ""}`}
      aria-label={isEntrance ? text.subgraph.inputs : text.subgraph.outputs}
      data-node={id}
    >
      <header className="node-head">
        <span className="node-dot" />
        <h2 className="node-title">{isEntrance ? text.subgraph.inputs : text.subgraph.outputs}</h2>
      </header>
      <Reached value={selected}>
      <ul className={isEntrance ? "boundary-rows is-entrance" : "boundary-rows"}>
        {[...names, NEW].map((name, index) => {
          const socket = types[name];
          return (
            <li key={name} data-row={`${isEntrance ? "out" : "in"}:${name}`} className={`row ${name === NEW ? "is-new" : ""}`}>
              {socket && (
                <Socket
                  side={isEntrance ? "out" : "in"}
                  port={name}
                  type={socket}
                  linked={!isEntrance && entry.inputs?.[name] !== undefined}
                />
              )}
              {name === NEW ? <span>{isEntrance ? text.subgraph.newInput : text.subgraph.newOutput}</span> : <Declared name={name} isFirst={index === 0} isEntrance={isEntrance} />}
            </li>
          );
        })}
      </ul>
      </Reached>
    </article>
  );
});

interface DeclaredProps {
  readonly name: string;
  readonly isFirst: boolean;
  readonly isEntrance: boolean;
}

/** An input or output by name. */
export function Declared({ name, isFirst, isEntrance }: DeclaredProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const kind = isEntrance ? "inputs" : "outputs";
  const finish = () => {
    const wanted = draft?.trim().replaceAll(" ", "_") ?? name;
    setDraft(null);
    if (wanted === name) return;
    if (!NAME.test(wanted)) {
      tell("error", text.subgraph.badName(wanted), text.subgraph.nameRule);
      return;
    }
    changeOpen((document, definition) =>
      isEntrance ? renameInput(document, definition, name, wanted) : renameOutput(document, definition, name, wanted),
    );
  };
  const remove = () =>
    changeOpen((document, definition) =>
      isEntrance ? removeInput(document, definition, name) : renameOutput(document, definition, name, null),
    );
  return (
    <>
      <input
        className="boundary-name nodrag"
        aria-label={text.subgraph.nameOf(name)}
        value={draft ?? name}
        size={Math.max(6, (draft ?? name).length)}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setDraft(null);
        }}
      />
      <span className="boundary-tools nodrag">
        <IconButton
          label={text.subgraph.moveUp(name)}
          icon={ArrowUp}
          disabled={isFirst}
          onClick={() => changeOpen((document, definition) => moveDeclared(document, definition, kind, name, -1))}
        />
        <IconButton label={text.subgraph.remove(name)} icon={X} onClick={remove} />
      </span>
    </>
  );
}
