/** The lines of a menu, with the shortcuts that do the same. */

import { DropdownMenu } from "radix-ui";
import { Ellipsis } from "lucide-react";

import { shown } from "../commands/keys";
import type { Entry } from "../commands/menus";
import { menuHome } from "./menuHome";

export function MenuItems({ entries }: { readonly entries: readonly Entry[] }) {
  return entries.map(({ label, keys, apart, run }) => (
    <span key={label} role="none">
      {apart && <DropdownMenu.Separator className="menu-line" />}
      <DropdownMenu.Item className="menu-item" onSelect={run}>
        {label}
        {keys && <kbd aria-hidden>{shown(keys)}</kbd>}
      </DropdownMenu.Item>
    </span>
  ));
}

interface ButtonProps {
  readonly label: string;
  /** Asked when the menu opens: what can be done may depend on where the button stands. */
  readonly entries: () => readonly Entry[];
  readonly onOpen?: () => void;
}

/** A button that opens a menu. */
export function MenuButton({ label, entries, onOpen }: ButtonProps) {
  return (
    <DropdownMenu.Root modal={false} onOpenChange={(isOpen) => isOpen && onOpen?.()}>
      <DropdownMenu.Trigger className="icon-button menu-button" aria-label={label} title={label}>
        <Ellipsis size={16} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={menuHome()}>
        <DropdownMenu.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          <Lines entries={entries} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Lines({ entries }: Pick<ButtonProps, "entries">) {
  return <MenuItems entries={entries()} />;
}
