/** What can be done with a job that waits: another place, priority, or a hold. */

import { Ellipsis } from "lucide-react";
import { DropdownMenu } from "radix-ui";

import type { Job } from "../api/calls";
import { changeWaiting, moveBy, useQueue } from "../store/queue";
import { menuHome } from "../shell/menuHome";
import { text } from "../text/en";

const t = text.queue;
const PRIORITIES = [10, 0, -10] as const;

export function WaitingMenu({ job: { id, state, priority } }: { readonly job: Job }) {
  const waiting = useQueue((queue) => queue.waiting);
  const place = waiting.indexOf(id);
  const item = (label: string, run: () => void, disabled = false) => (
    <DropdownMenu.Item className="menu-item" disabled={disabled} onSelect={run}>
      {label}
    </DropdownMenu.Item>
  );
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="icon-button" aria-label={t.more} title={t.more}>
        <Ellipsis size={16} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={menuHome()}>
        <DropdownMenu.Content className="menu" align="end">
          {item(t.first, () => void changeWaiting(id, { move: { to: "front" } }))}
          {item(t.up, () => moveBy(id, -1), place <= 0)}
          {item(t.down, () => moveBy(id, 1), place < 0 || place === waiting.length - 1)}
          {item(state === "held" ? t.release : t.hold, () => void changeWaiting(id, { hold: state !== "held" }))}
          <DropdownMenu.Separator className="menu-line" />
          <DropdownMenu.RadioGroup value={String(priority)} onValueChange={(value) => void changeWaiting(id, { priority: Number(value) })}>
            {PRIORITIES.map((one) => (
              <DropdownMenu.RadioItem key={one} className="menu-item is-choice" value={String(one)}>
                {t.priorities[one]}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
