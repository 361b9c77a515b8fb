/** A workflow in the trash: taken back, or deleted for good when one has read what is lost. */

import { ArchiveRestore, Trash2 } from "lucide-react";
import { useState } from "react";

import type { WorkflowItem } from "../api/calls";
import { purge, takeBack } from "../store/savedlist";
import { text } from "../text/en";
import { ago } from "./ago";
import { IconButton } from "./IconButton";

const t = text.open;

interface Props {
  readonly item: WorkflowItem;
  /** The shelf has to be looked at again. */
  readonly changed: () => void;
}

export function TrashRow({ item, changed }: Props) {
  const [asks, setAsks] = useState<boolean | null>(null);
  const { name, revision, trashed } = item;
  if (asks) {
    return (
      <div
        className="saved-asks is-grave"
        role="group"
        aria-label={t.purgeOf(name)}
        onKeyDown={({ key }) => {
          if (key === "Escape") setAsks(false);
        }}
      >
        <p role="alert">{t.purgeAsk(name, revision)}</p>
        <button type="button" className="secondary" autoFocus onClick={() => setAsks(false)}>
          {t.cancel}
        </button>
        <button type="button" className="primary is-grave" onClick={() => void purge(item).then(changed)}>
          {t.purge}
        </button>
      </div>
    );
  }
  return (
    <div className="open-row">
      <div className="open-name">
        <strong>{name}</strong>
        <span>
          {t.revision(revision)} · {t.thrown(ago(trashed ?? 0))}
        </span>
      </div>
      <IconButton label={t.restoreOf(name)} icon={ArchiveRestore} onClick={() => void takeBack(item).then(changed)} />
      <IconButton label={t.purgeOf(name)} icon={Trash2} autoFocus={asks === false} onClick={() => setAsks(true)} />
    </div>
  );
}
