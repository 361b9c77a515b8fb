/** Saved workflows with their revisions. */

import { History, Trash2 } from "lucide-react";
import { Dialog } from "radix-ui";
import { useEffect, useState } from "react";

import { getRevisions, getWorkflows, trashWorkflow, type Revision, type WorkflowItem } from "../api/calls";
import { openSaved } from "../store/actions";
import { tellError } from "../store/errors";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";
import { ago } from "./ago";
import { IconButton } from "./IconButton";

const close = () => useUi.setState({ dialog: null });

export function OpenDialog() {
  const isOpen = useUi((ui) => ui.dialog === "open");
  return (
    <Dialog.Root open={isOpen} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <Dialog.Title>{text.open.title}</Dialog.Title>
          <Workflows />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Workflows() {
  const [found, setFound] = useState<readonly WorkflowItem[] | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => {
    getWorkflows().then(setFound, tellError);
  }, []);
  const pick = (name: string, revision?: number) => {
    close();
    void openSaved(name, revision);
  };
  const trash = (name: string) =>
    trashWorkflow(name).then(() => setFound((all) => all?.filter((one) => one.name !== name) ?? null), tellError);
  if (found?.length === 0) return <p className="quiet">{text.open.none}</p>;
  return (
    <ul className="open-list">
      {found?.map(({ id, name, revision, updated }) => (
        <li key={id}>
          <div className="open-row">
            <button type="button" className="open-name" onClick={() => pick(name)}>
              <strong>{name}</strong>
              <span>
                {text.open.revision(revision)} · {ago(updated)}
              </span>
            </button>
            <IconButton
              label={text.open.revisions}
              icon={History}
              pressed={shown === name}
              onClick={() => setShown(shown === name ? null : name)}
            />
            <IconButton label={text.open.trash} icon={Trash2} onClick={() => void trash(name)} />
          </div>
          {shown === name && <Revisions name={name} pick={(number) => pick(name, number)} />}
        </li>
      ))}
    </ul>
  );
}

function Revisions({ name, pick }: { readonly name: string; readonly pick: (number: number) => void }) {
  const [found, setFound] = useState<readonly Revision[]>([]);
  useEffect(() => {
    getRevisions(name).then(setFound, tellError);
  }, [name]);
  return (
    <ul className="revisions">
      {found.map(({ number, note, created }) => (
        <li key={number}>
          <button type="button" onClick={() => pick(number)}>
            {text.open.revision(number)} <span>{note || ago(created)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
