/** One node: sockets, widgets, what will happen to it and what did, and its pictures. */

import type { NodeProps } from "@xyflow/react";
import { memo } from "react";

import { isNamed, specOf, type Row, type SceneNode } from "../graph/scene";
import type { NodeType } from "../graph/catalogue";
import { literalOf } from "../graph/document";
import { isWide } from "../graph/widgets";
import { text } from "../text/en";
import { Field } from "../widgets/Field";
import { AddMember, MemberMenu, MemberName } from "../widgets/GrowingRow";
import { useDistance } from "./distance";
import { Ends, FarCard, useIsFar, useSocketsAt } from "./FarCard";
import { LoadedPicture } from "./LoadedPicture";
import { NodeComment } from "./NodeComment";
import { NodePictures } from "./NodePictures";
import { NodeProblems } from "./NodeProblems";
import { NodeStatus } from "./NodeStatus";
import { NodeTitle } from "./NodeTitle";
import { OutputRow } from "./OutputRow";
import { Reached, Socket } from "./Socket";
import { categoryColour } from "./looks";
import { useNodeProblems, useNodeRun } from "./useNodeRun";
import type { FlowNode } from "./useScene";

/** A node: from afar no more than its title, so that a thousand of them are drawn quickly. */
export const NodeCard = memo(function NodeCard(props: NodeProps<FlowNode>) {
  return useIsFar() ? <FarCard {...props} /> : <NearCard {...props} />;
});

const NearCard = memo(function NearCard({ id, data, selected }: NodeProps<FlowNode>) {
  // In a large graph it comes after what was seen from afar, whose sockets were elsewhere.
  useSocketsAt(id, data.scene, useDistance().isLarge);
  const { entry, type, rows, collapsed, comment } = data.scene;
  const run = useNodeRun(id, entry.type.startsWith("#"));
  const problems = useNodeProblems(id);
  const state = run?.state;
  const classes = [
    "node",
    selected ? "is-selected" : "",
    problems.length > 0 ? "has-problems" : "",
    state ? `is-${state}` : "",
    entry.mode ? `is-${entry.mode}` : "",
    type.isPlaceholder ? "is-unknown" : "",
    collapsed ? "is-collapsed" : "",
  ];
  const own = problems.filter(({ node }) => node?.split("/").at(-1) === id);
  const badInputs = new Set(own.map(({ input }) => input ?? ""));
  return (
    <article
      className={classes.filter(Boolean).join(" ")}
      style={{ "--accent": categoryColour(type.category) }}
      aria-label={text.canvas.node(entry.title ?? type.title)}
      data-node={id}
      data-state={state ?? ""}
    >
      <NodeTitle id={id} entry={entry} type={type} run={run} isCollapsed={collapsed} comment={comment} />
      <NodeComment id={id} title={entry.title ?? type.title} comment={comment} isHidden={collapsed} />
      {collapsed ? (
        <Ends scene={data.scene} />
      ) : (
        <>
          <Reached value={selected}>
            <Sockets rows={rows} type={type} bad={badInputs} id={id} />
            <Widgets scene={data.scene} bad={badInputs} />
            <LoadedPicture scene={data.scene} />
          </Reached>
          {type.isPlaceholder && <p className="node-note">{text.node.unknown}</p>}
          <NodeProblems problems={problems} run={run} />
          <NodePictures id={id} run={run} />
          <NodeStatus id={id} run={run} />
        </>
      )}
    </article>
  );
});

/** Inputs that take links alone, beside the outputs. */
function Sockets({ rows, type, bad, id }: { rows: readonly Row[]; type: NodeType; bad: ReadonlySet<string>; id: string }) {
  const inputs = rows.filter(({ input }) => input.widget.kind === "none");
  const outputs = Object.entries(type.outputs);
  if (inputs.length === 0 && outputs.length === 0) return null;
  return (
    <div className="node-sockets">
      <ul>
        {inputs.map((row) => (
          <li key={row.port} data-row={`in:${row.port}`} className={rowClass(row, bad)} title={row.input.help || undefined}>
            <Socket side="in" port={row.port} type={row.input.type} linked={row.linked} />
            {isNamed(row) ? <MemberName node={id} row={row} /> : <span>{row.isNew ? `+ ${row.label}` : row.label}</span>}
            {!row.isNew && <MemberMenu node={id} row={row} />}
          </li>
        ))}
      </ul>
      <ul className="node-outputs">
        {outputs.map(([name, socket]) => (
          <OutputRow key={name} node={id} name={name} type={socket} />
        ))}
      </ul>
    </div>
  );
}

/** Inputs that can be written here, and linked as well. */
function Widgets({ scene, bad }: { scene: SceneNode; bad: ReadonlySet<string> }) {
  const rows = scene.rows.filter(({ input }) => input.widget.kind !== "none");
  if (rows.length === 0) return null;
  return (
    <ul className="node-widgets">
      {rows.map((row) => {
        const { widget } = row.input;
        const wide = !row.linked && isWide(widget, row.value === undefined ? row.input.default : literalOf(row.value));
        return (
          <li
            key={row.port}
            data-row={`in:${row.port}`}
            className={`${rowClass(row, bad)} ${wide ? "is-wide" : ""}`}
            title={row.input.help || undefined}
          >
            {widget.kind !== "subgraph" && (
              <Socket side="in" port={row.port} type={row.input.type} linked={row.linked} />
            )}
            <Label node={scene.id} row={row} />
            {row.isNew && <AddMember node={scene.id} row={row} />}
            {!row.linked && !row.isNew && <Field node={scene.id} port={row.port} input={specOf(row)} value={row.value} />}
            {!row.isNew && <MemberMenu node={scene.id} row={row} />}
          </li>
        );
      })}
    </ul>
  );
}

function Label({ node, row }: { readonly node: string; readonly row: Row }) {
  if (row.isNew) return null;
  if (isNamed(row)) return <MemberName node={node} row={row} />;
  return <span className="widget-label">{row.label}</span>;
}

function rowClass({ port, input, isNew }: Row, bad: ReadonlySet<string>): string {
  const isBad = !isNew && (bad.has(port) || bad.has(input.name));
  return `row ${isBad ? "is-bad" : ""} ${isNew ? "is-new" : ""}`;
}
