/** What a growing input has beside its fields: another member, the name of one, and its place among the others. */

import { Ellipsis, Plus } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";

import { asLiteral, splitPort } from "../graph/document";
import { setInput } from "../graph/edits";
import { moveMember, removeMember, renameMember } from "../graph/growing";
import type { Row } from "../graph/scene";
import { asLabel, firstValue } from "../graph/widgets";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";

const t = text.widget;

interface Props {
  readonly node: string;
  readonly row: Row;
}

const { edit } = useWorkspace.getState();

/** The place where another member begins: a link can be dropped on it, or a value begun here. */
export function AddMember({ node, row: { port, input } }: Props) {
  return (
    <button
      type="button"
      className="add-line nodrag"
      onClick={() => edit((document) => setInput(document, { node, port }, asLiteral(firstValue(input.widget) ?? null)))}
    >
      <Plus size={13} aria-hidden /> {t.addTo(asLabel(input.name))}
    </button>
  );
}

/** The name of a member, to be written over. */
export function MemberName({ node, row: { port, label } }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const commit = () => {
    if (draft !== null && draft !== label) edit((document) => renameMember(document, { node, port }, draft.trim()) ?? document);
    setDraft(null);
  };
  return (
    <input
      className="member-name nodrag"
      aria-label={t.nameOf(label)}
      value={draft ?? label}
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
      }}
    />
  );
}

export function MemberMenu({ node, row: { port, label } }: Props) {
  const { member } = splitPort(port);
  if (member === null) return null;
  const item = (words: string, run: () => void) => (
    <DropdownMenu.Item className="menu-item" onSelect={run}>
      {words}
    </DropdownMenu.Item>
  );
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="icon-button small nodrag" aria-label={t.member(label)} title={t.member(label)}>
        <Ellipsis size={14} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end">
          {item(t.moveUp, () => edit((document) => moveMember(document, { node, port }, -1)))}
          {item(t.moveDown, () => edit((document) => moveMember(document, { node, port }, 1)))}
          {item(t.removeMember, () => edit((document) => removeMember(document, { node, port })))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
