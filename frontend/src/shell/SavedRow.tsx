/** A saved workflow: opened by a click, with its revisions, another name, and the way to the trash. */

import { History, Pencil, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";

import { getRevisions, type Revision, type WorkflowItem } from "../api/calls";
import { openSaved } from "../store/actions";
import { tellError } from "../store/errors";
import { throwAway } from "../store/savedlist";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { ago } from "./ago";
import { IconButton } from "./IconButton";
import { RenameForm } from "./RenameForm";

const t = text.open;

interface Props {
  readonly item: WorkflowItem;
  /** The shelf has to be looked at again. */
  readonly changed: () => void;
}

export function SavedRow({ item, changed }: Props) {
  const [shows, setShows] = useState<"" | "revisions" | "rename" | "renamed">("");
  const { name, revision, updated } = item;
  const pick = (number?: number) => {
    useUi.setState({ dialog: null });
    void openSaved(name, number);
  };
  if (shows === "rename") {
    const end = () => {
      setShows("renamed");
      changed();
    };
    return <RenameForm item={item} end={end} />;
  }
  return (
    <>
      <div className="open-row">
        <button type="button" className="open-name" onClick={() => pick()}>
          <strong>{name}</strong>
          <span>
            {t.revision(revision)} · {ago(updated)}
          </span>
        </button>
        <IconButton
          label={t.revisionsOf(name)}
          icon={History}
          pressed={shows === "revisions"}
          onClick={() => setShows(shows === "revisions" ? "" : "revisions")}
        />
        <IconButton label={t.renameOf(name)} icon={Pencil} autoFocus={shows === "renamed"} onClick={() => setShows("rename")} />
        <IconButton label={t.trashOf(name)} icon={Trash2} onClick={() => void throwAway(item).then(changed)} />
      </div>
      {shows === "revisions" && <Revisions name={name} pick={pick} />}
    </>
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
            {t.revision(number)} <span>{note || ago(created)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
