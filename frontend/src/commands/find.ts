/** To a node: selected, in view, and with the focus. */

import { focusNode } from "../canvas/places";
import { show, showNodes, useUi } from "../store/ui";
import { activeTab, useWorkspace } from "../store/workspace";

export function goToNode(id: string): void {
  showNodes();
  useWorkspace.getState().select([id]);
  show(id);
  focusNode(id);
}

/** The field that finds nodes: the list has one of its own. */
export function openFind(): void {
  if (activeTab() === undefined) return;
  const field = document.querySelector<HTMLInputElement>(".list-filter");
  if (field === null) {
    showNodes();
    useUi.setState({ dialog: "find" });
    return;
  }
  field.focus();
  field.select();
}
