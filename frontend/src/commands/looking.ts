/** A look at what is selected: the value of a link, or of a node's first output. */

import { linksInto, splitReference, type Port } from "../graph/document";
import { outputOf, typeOf } from "../graph/nodetypes";
import { lookAt } from "../store/look";
import { useServer } from "../store/server";
import { tell } from "../store/ui";
import { activeDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";

export function lookAtSelected(): void {
  const port = selectedOutput();
  if (port === null) {
    tell("info", text.look.select);
    return;
  }
  const { right, top } = document.querySelector(`[data-node="${CSS.escape(port.node)}"]`)?.getBoundingClientRect() ?? new DOMRect(80, 80);
  void lookAt(port, { x: right, y: top + 20 });
}

/** Look at what a link into an input brings. */
export function lookAtSource(end: Port): void {
  useWorkspace.getState().select([], [end]);
  lookAtSelected();
}

function selectedOutput(): Port | null {
  const workflow = activeDocument();
  const { selected, selectedLinks } = useWorkspace.getState();
  if (workflow === undefined) return null;
  const end = selectedLinks[0];
  const entry = end && workflow.nodes[end.node];
  const reference = entry && linksInto(entry).find(({ port }) => port === end.port)?.reference;
  const { node, output } = reference ? splitReference(reference) : { node: selected[0], output: null };
  if (node === undefined || !Object.hasOwn(workflow.nodes, node)) return null;
  const type = typeOf(workflow, node, useServer.getState().catalogue);
  return Object.keys(type.outputs).length > 0 ? { node, port: outputOf(type, output) } : null;
}
