/** All actions and all nodes, by name. */

import { Command } from "cmdk";
import { Dialog } from "radix-ui";

import { add } from "../canvas/adding";
import { shown } from "../commands/keys";
import { COMMANDS, type Command as Action } from "../commands/list";
import { useSubgraphTypes } from "../store/library";
import { useServer } from "../store/server";
import { useUi } from "../store/ui";
import { useActiveTab } from "../store/workspace";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";

type Group = Action["group"];
const GROUPS = Object.keys(text.commands.groups) as Group[];

export function Palette() {
  const isOpen = useUi((ui) => ui.dialog === "palette");
  const close = () => useUi.setState({ dialog: null });
  return (
    <Dialog.Root open={isOpen} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="palette" aria-describedby={undefined}>
          <Dialog.Title className="is-hidden">{text.bar.palette}</Dialog.Title>
          <Actions close={close} />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Actions({ close }: { readonly close: () => void }) {
  const catalogue = useServer((server) => server.catalogue);
  const subgraphs = useSubgraphTypes();
  const tab = useActiveTab();
  const pick = (run: () => void) => {
    close();
    run();
  };
  return (
    <Command loop>
      <Command.Input placeholder={text.commands.placeholder} />
      <Command.List>
        <Command.Empty>{text.commands.nothing}</Command.Empty>
        {GROUPS.map((group) => (
          <Command.Group key={group} heading={text.commands.groups[group]}>
            {group === "node" && tab
              ? [...catalogue.values(), ...subgraphs].map((type) => (
                  <Command.Item
                    key={type.id}
                    value={`${type.title} ${type.id}`}
                    onSelect={() => pick(() => add(type, { screen: { x: 0, y: 0 }, at: { x: 120, y: 120 } }))}
                  >
                    <span>{type.title}</span>
                    <span className="add-id">{type.id}</span>
                  </Command.Item>
                ))
              : COMMANDS.filter((one) => one.group === group && one.id !== "palette").map((one) => (
                  <Command.Item key={one.id} value={one.title} onSelect={() => pick(one.run)}>
                    <span>{one.title}</span>
                    {one.keys?.[0] && <kbd>{shown(one.keys[0])}</kbd>}
                  </Command.Item>
                ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  );
}
