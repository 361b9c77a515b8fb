/** A menu at a place of the canvas: of a node, an input, an output, a link, or of nothing. */

import { DropdownMenu } from "radix-ui";

import type { Entry } from "../commands/menus";
import type { Point } from "../graph/document";
import { menuHome } from "../shell/menuHome";
import { MenuItems } from "../shell/MenuItems";
import { focusNode } from "./places";

export interface OpenMenu {
  readonly at: Point;
  readonly label: string;
  readonly entries: readonly Entry[];
  /** Where the focus goes when the menu is closed. */
  readonly node?: string;
}

export function PointMenu({ menu: { at, label, entries, node }, close }: { readonly menu: OpenMenu; readonly close: () => void }) {
  return (
    <DropdownMenu.Root open onOpenChange={close} modal={false}>
      <DropdownMenu.Trigger asChild>
        <span className="menu-place" role="button" tabIndex={-1} aria-label={label} style={{ left: at.x, top: at.y }} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={menuHome()}>
        <DropdownMenu.Content
          className="menu"
          align="start"
          collisionPadding={8}
          aria-label={label}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            window.setTimeout(() => {
              if (node !== undefined && document.activeElement === document.body) focusNode(node);
            });
          }}
        >
          <MenuItems entries={entries} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
