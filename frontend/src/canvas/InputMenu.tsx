/** What can be done with an input: take its link off, set it back, make it a named input of the workflow. */

import { ContextMenu } from "radix-ui";
import type { ReactNode } from "react";

import { withInput } from "../graph/border";
import { disconnect, setInput } from "../graph/edits";
import { exposedAs, expose, freshName, hide } from "../graph/interface";
import type { Row } from "../graph/scene";
import { ENTRANCE, isBoundaryEntry } from "../graph/scope";
import { knowledge } from "../store/server";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { lookAtSource } from "../commands/looking";
import { text } from "../text/en";

interface Props {
  readonly node: string;
  readonly row: Row;
  readonly children: ReactNode;
}

const t = text.commands;

export function InputMenu({ node, row, children }: Props) {
  return (
    <ContextMenu.Root modal={false}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content className="menu">
          <Items node={node} row={row} />
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}

/** What can be written where anything may stand. */
const FIRSTS = [
  { kind: "text", value: "" },
  { kind: "number", value: 0 },
  { kind: "toggle", value: false },
] as const;

function Items({ node, row: { port, input, value, linked, isNew } }: { readonly node: string; readonly row: Row }) {
  const document = useShownDocument();
  const { edit } = useWorkspace.getState();
  if (document === undefined || (isNew && isBoundaryEntry(document.nodes[node]))) return null;
  const isInside = isBoundaryEntry(document.nodes[ENTRANCE]);
  const named = exposedAs(document, { node, port });
  const name = freshName(document, input.name);
  const item = (label: string, run: () => void) => (
    <ContextMenu.Item key={label} className="menu-item" onSelect={run}>
      {label}
    </ContextMenu.Item>
  );
  const writes = input.type.kind === "generic" && !linked && value === undefined && FIRSTS.map((first) => item(t.write[first.kind], () => edit((one) => setInput(one, { node, port }, first.value))));
  if (isNew) return <>{writes}</>;
  return (
    <>
      {writes}
      {linked && item(text.look.look, () => window.setTimeout(() => lookAtSource({ node, port })))}
      {linked && item(t.unlink, () => edit((one) => disconnect(one, [{ node, port }])))}
      {!linked && input.default !== undefined && item(t.reset, () => edit((one) => setInput(one, { node, port }, input.default)))}
      {isInside && !linked && item(text.subgraph.exposed(input.name), () => edit((one) => withInput(one, { node, port }, knowledge())))}
      {!isInside && !linked && named.length === 0 && item(t.exposed(name), () => edit((one) => expose(one, name, { node, port })))}
      {named.map((one) => item(t.hidden(one), () => edit((doc) => hide(doc, one))))}
    </>
  );
}
