/** Find a node, and go there. */

import { Command } from "cmdk";
import { Dialog } from "radix-ui";
import { useMemo, useState } from "react";

import { categoryColour } from "../canvas/looks";
import { goToNode } from "../commands/find";
import { findNodes } from "../graph/find";
import { typeOf } from "../graph/nodetypes";
import { useServer } from "../store/server";
import { useUi } from "../store/ui";
import { useShownDocument } from "../store/workspace";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";

const SHOWN = 100;

export function FindDialog() {
  const isOpen = useUi((ui) => ui.dialog === "find");
  const close = () => useUi.setState({ dialog: null });
  return (
    <Dialog.Root open={isOpen} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="palette" aria-describedby={undefined}>
          <Dialog.Title className="is-hidden">{text.find.title}</Dialog.Title>
          <Nodes close={close} />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Nodes({ close }: { readonly close: () => void }) {
  const document = useShownDocument();
  const catalogue = useServer((server) => server.catalogue);
  const [query, setQuery] = useState("");
  const found = useMemo(() => (document ? findNodes(document, catalogue, query).slice(0, SHOWN) : []), [document, catalogue, query]);
  if (document === undefined) return null;
  return (
    <Command shouldFilter={false} loop label={text.find.title}>
      <Command.Input autoFocus value={query} onValueChange={setQuery} placeholder={text.find.placeholder} />
      <Command.List>
        <Command.Empty>{text.list.noneFound}</Command.Empty>
        {found.map(({ id, title, written, comment }) => (
          <Command.Item
            key={id}
            value={id}
            onSelect={() => {
              close();
              goToNode(id);
            }}
          >
            <span className="add-dot" style={{ "--colour": categoryColour(typeOf(document, id, catalogue).category) }} />
            <span className="add-title">{title}</span>
            <span className="find-written">{comment || written[0]}</span>
            <span className="add-id">{id}</span>
          </Command.Item>
        ))}
      </Command.List>
    </Command>
  );
}
