/** What can be done with a link: look at what flows through it, or take it off. */

import { DropdownMenu } from "radix-ui";

import type { Link, Point } from "../graph/document";
import { disconnect } from "../graph/edits";
import { lookAt } from "../store/look";
import { useWorkspace } from "../store/workspace";
import { menuHome } from "../shell/menuHome";
import { text } from "../text/en";

interface Props {
  readonly link: Link;
  readonly at: Point;
  readonly close: () => void;
}

export function LinkMenu({ link: { from, to }, at, close }: Props) {
  const { edit } = useWorkspace.getState();
  return (
    <DropdownMenu.Root open onOpenChange={close} modal={false}>
      <DropdownMenu.Trigger asChild>
        <span className="menu-place" role="button" aria-label={text.look.linkMenu} style={{ left: at.x, top: at.y }} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={menuHome()}>
        <DropdownMenu.Content className="menu" align="start">
          {/* The menu gives the focus back first, or it would close the popover. */}
          <DropdownMenu.Item className="menu-item" onSelect={() => window.setTimeout(() => void lookAt(from, at))}>
            {text.look.look}
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={() => edit((one) => disconnect(one, [to]))}>
            {text.commands.unlink}
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
