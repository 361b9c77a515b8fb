/** Another name for a saved workflow. */

import { useState } from "react";

import type { WorkflowItem } from "../api/calls";
import { PREFIX } from "../graph/library";
import { isName } from "../graph/saved";
import { rename } from "../store/savedlist";
import { text } from "../text/en";

const t = text.open;

export function RenameForm({ item, end }: { readonly item: WorkflowItem; readonly end: () => void }) {
  const [name, setName] = useState(item.name);
  const [error, setError] = useState("");
  const submit = async () => {
    const wanted = name.trim();
    if (wanted === item.name) return end();
    if (!isName(wanted)) return setError(t.badName(PREFIX));
    const refused = await rename(item, wanted);
    if (refused === null) return end();
    setError([refused.message, refused.details?.remedy].filter(Boolean).join(". "));
  };
  return (
    <form
      className="saved-asks"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={({ key }) => {
        if (key === "Escape") end();
      }}
    >
      <input
        className="field"
        aria-label={t.newName(item.name)}
        value={name}
        autoFocus
        required
        maxLength={100}
        onFocus={({ target }) => target.select()}
        onChange={({ target }) => setName(target.value)}
      />
      <button type="submit" className="primary">
        {t.rename}
      </button>
      <button type="button" className="secondary" onClick={end}>
        {t.cancel}
      </button>
      {error && (
        <p className="dialog-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
