/** Saved workflows: searched, sorted, opened, renamed; and the trash. */

import { Dialog } from "radix-ui";
import { useCallback, useEffect, useState } from "react";

import { getTrash, getWorkflows, type WorkflowItem } from "../api/calls";
import { listed, type SavedOrder } from "../graph/saved";
import { tellError } from "../store/errors";
import { keepPreference, preference } from "../store/preferences";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";
import { SavedRow } from "./SavedRow";
import { TrashRow } from "./TrashRow";

const t = text.open;
const ORDERS = ["newest", "name"] as const;

export function OpenDialog() {
  const isOpen = useUi((ui) => ui.dialog === "open");
  return (
    <Dialog.Root open={isOpen} onOpenChange={() => useUi.setState({ dialog: null })}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog saved-dialog" aria-describedby={undefined} onEscapeKeyDown={keepAsking}>
          <Dialog.Title>{t.title}</Dialog.Title>
          <Shelves />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Escape ends what a line asks, not the dialog. */
function keepAsking(event: KeyboardEvent): void {
  if (event.target instanceof HTMLElement && event.target.closest(".saved-asks")) event.preventDefault();
}

function Shelves() {
  const [saved, setSaved] = useState<readonly WorkflowItem[] | null>(null);
  const [trash, setTrash] = useState<readonly WorkflowItem[]>([]);
  const [inTrash, setInTrash] = useState(false);
  const [query, setQuery] = useState("");
  const [order, setOrder] = useState<SavedOrder>(preference("saved-order") === "name" ? "name" : "newest");
  const refresh = useCallback(() => {
    getWorkflows().then(setSaved, tellError);
    getTrash().then(setTrash, tellError);
  }, []);
  useEffect(refresh, [refresh]);
  const sort = (one: SavedOrder) => {
    keepPreference("saved-order", one);
    setOrder(one);
  };
  const all = inTrash ? trash : saved;
  const shown = all && listed(all, query, order);
  return (
    <>
      <div className="saved-tools">
        <input className="field" type="search" aria-label={t.search} placeholder={t.search} value={query} onChange={({ target }) => setQuery(target.value)} />
        <div className="segments" role="group" aria-label={t.order}>
          {ORDERS.map((one) => (
            <button key={one} type="button" aria-pressed={order === one} onClick={() => sort(one)}>
              {t.orders[one]}
            </button>
          ))}
        </div>
      </div>
      <div className="segments saved-shelves" role="group" aria-label={t.shelves}>
        <button type="button" aria-pressed={!inTrash} onClick={() => setInTrash(false)}>
          {t.saved}
        </button>
        <button type="button" aria-pressed={inTrash} onClick={() => setInTrash(true)}>
          {t.trashShelf(trash.length)}
        </button>
      </div>
      {shown?.length === 0 && <p className="quiet saved-none">{all?.length ? t.noneFound : inTrash ? t.trashEmpty : t.none}</p>}
      <ul className="open-list">
        {shown?.map((item) => (
          <li key={item.id}>{inTrash ? <TrashRow item={item} changed={refresh} /> : <SavedRow item={item} changed={refresh} />}</li>
        ))}
      </ul>
    </>
  );
}
