/** A node in the list: its head, and below it all that a card on the canvas shows. */

import { ChevronRight } from "lucide-react";
import { memo, useId } from "react";

import { categoryColour } from "../canvas/looks";
import { NodeComment } from "../canvas/NodeComment";
import { NodePictures } from "../canvas/NodePictures";
import { NodeProblems } from "../canvas/NodeProblems";
import { NodeStatus } from "../canvas/NodeStatus";
import { TitleField } from "../canvas/TitleField";
import { selectForMenu } from "../canvas/useCanvasMenu";
import { useNodeProblems, useNodeRun } from "../canvas/useNodeRun";
import { nodeEntries } from "../commands/menus";
import type { NodeRun } from "../graph/run";
import type { SceneNode } from "../graph/scene";
import { isBoundary } from "../graph/scope";
import { MenuButton } from "../shell/MenuItems";
import { useUi } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { BoundaryLines } from "./BoundaryLines";
import { InputLine } from "./InputLine";
import { OutputLine } from "./OutputLine";
import { isOpen, setOpen, useOpened } from "./opened";

interface Props {
  readonly node: SceneNode;
  readonly title: string;
  /** What says where the node stands, among all that was ever opened. */
  readonly place: string;
  readonly count: number;
  /** Of its heading: one more where it stands under the title of a group. */
  readonly level: 2 | 3;
}

export const NodeSection = memo(function NodeSection({ node, title, place, count, level }: Props) {
  const { id, entry, type } = node;
  const open = useOpened((opened) => isOpen(opened, place, count));
  const isSelected = useWorkspace(({ selected }) => selected.includes(id));
  const isWriting = useUi((ui) => ui.renaming === id);
  const run = useNodeRun(id, entry.type.startsWith("#"));
  const problems = useNodeProblems(id);
  const body = useId();
  const Heading = `h${level}` as const;
  const state = [
    isSelected ? "is-selected" : "",
    problems.length > 0 ? "has-problems" : "",
    run ? `is-${run.state}` : "",
    entry.mode ? `is-${entry.mode}` : "",
  ];
  return (
    <article
      className={["list-node", ...state].filter(Boolean).join(" ")}
      style={{ "--accent": categoryColour(type.category) }}
      aria-label={text.canvas.node(title)}
      data-node={id}
      data-state={run?.state ?? ""}
      onFocus={() => selectForMenu(id)}
    >
      <header className="list-head">
        <Heading>
          {isWriting ? (
            <TitleField id={id} title={entry.title ?? type.title} />
          ) : (
            <button
              type="button"
              className="list-open"
              aria-expanded={open}
              aria-controls={body}
              aria-current={isSelected || undefined}
              onClick={({ ctrlKey, metaKey, shiftKey }) => {
                if (ctrlKey || metaKey || shiftKey) toggleSelected(id);
                else setOpen([place], !open);
              }}
            >
              <ChevronRight size={15} aria-hidden />
              <span className="node-dot" />
              <span className="list-title">{title}</span>
              {entry.title && entry.title !== type.title && <span className="node-kind">{type.title}</span>}
              {entry.mode && <span className="node-mode">{text.node[entry.mode]}</span>}
              {problems.length > 0 && <span className="list-problems">{text.list.problems(problems.length)}</span>}
            </button>
          )}
        </Heading>
        {!isBoundary(id) && <NodeStatus id={id} run={run} />}
        <MenuButton label={text.list.more(title)} onOpen={() => selectForMenu(id)} entries={() => entriesOf(id)} />
        <Progress run={run} />
      </header>
      <NodeComment id={id} title={title} comment={node.comment} />
      <div id={body} className="list-body" hidden={!open}>
        {open && <Body node={node} run={run} level={level} />}
      </div>
    </article>
  );
});

function entriesOf(id: string) {
  const document = activeDocument();
  return document ? nodeEntries(document, id) : [];
}

function toggleSelected(id: string): void {
  const { selected, select } = useWorkspace.getState();
  // The focus has selected it already, unless it was among others.
  const others = selected.filter((one) => one !== id);
  select(others.length < selected.length && others.length > 0 ? others : [...others, id]);
}

interface BodyProps {
  readonly node: SceneNode;
  readonly run: NodeRun | undefined;
  readonly level: 2 | 3;
}

function Body({ node, run, level }: BodyProps) {
  const { id, type, rows } = node;
  const problems = useNodeProblems(id);
  if (isBoundary(id)) return <BoundaryLines node={node} />;
  const bad = new Set(problems.filter(({ node: at }) => at?.split("/").at(-1) === id).map(({ input }) => input ?? ""));
  const outputs = Object.entries(type.outputs);
  const Heading = level === 2 ? "h3" : "h4";
  return (
    <>
      {type.isPlaceholder && <p className="node-note">{text.node.unknown}</p>}
      <NodeProblems problems={problems} run={run} />
      {rows.length > 0 && (
        <>
          <Heading>{text.list.inputs}</Heading>
          <ul>
            {rows.map((row) => (
              <InputLine key={row.port} node={id} row={row} isBad={!row.isNew && (bad.has(row.port) || bad.has(row.input.name))} />
            ))}
          </ul>
        </>
      )}
      {outputs.length > 0 && (
        <>
          <Heading>{text.list.outputs}</Heading>
          <ul>
            {outputs.map(([port, socket]) => (
              <OutputLine key={port} node={id} port={port} type={socket} />
            ))}
          </ul>
        </>
      )}
      <NodePictures id={id} run={run} />
    </>
  );
}

function Progress({ run }: { readonly run: NodeRun | undefined }) {
  if (run?.state !== "running") return null;
  const part = run.total ? (run.done ?? 0) / run.total : null;
  return (
    <span
      className={`node-progress ${part === null ? "is-unknown" : ""}`}
      role="progressbar"
      aria-label={text.bar.running}
      aria-valuenow={part === null ? undefined : Math.round(part * 100)}
      style={{ "--part": part ?? 1 }}
    />
  );
}
