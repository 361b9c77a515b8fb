/** Under which name to save; and what to do where somebody else saved meanwhile. */

import { Dialog } from "radix-ui";
import { useState } from "react";

import type { ApiError } from "../api/client";
import { save } from "../store/actions";
import { useUi } from "../store/ui";
import { useActiveTab } from "../store/workspace";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";

export function SaveDialog() {
  const isOpen = useUi((ui) => ui.dialog === "save");
  return (
    <Dialog.Root open={isOpen} onOpenChange={() => useUi.setState({ dialog: null })}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog">
          <SaveForm />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function SaveForm() {
  const tab = useActiveTab();
  const [name, setName] = useState(tab?.saved?.name ?? tab?.title ?? "");
  const [error, setError] = useState<ApiError | null>(null);
  const close = () => useUi.setState({ dialog: null });
  const submit = async (replace: boolean) => {
    const failed = await save(name.trim(), replace);
    setError(failed);
    if (failed === null) close();
  };
  const isConflict = error?.status === 412;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit(false);
      }}
    >
      <Dialog.Title>{text.save.title}</Dialog.Title>
      <Dialog.Description>{text.save.lead}</Dialog.Description>
      <label>
        {text.save.name}
        <input className="field" value={name} autoFocus required maxLength={100} onChange={(event) => setName(event.target.value)} />
      </label>
      {error && (
        <p className="dialog-error" role="alert">
          <strong>{isConflict ? text.save.conflict : error.message}</strong> {isConflict ? text.save.conflictLead : text.save.taken}
        </p>
      )}
      <div className="dialog-buttons">
        <button type="button" className="secondary" onClick={close}>
          {text.save.cancel}
        </button>
        {isConflict && (
          <button type="button" className="secondary" onClick={() => void submit(true)}>
            {text.save.replace}
          </button>
        )}
        <button type="submit" className="primary">
          {text.save.save}
        </button>
      </div>
    </form>
  );
}
