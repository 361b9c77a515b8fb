/** All shortcuts, by what they are for, with a search. */

import { matchSorter } from "match-sorter";
import { Dialog } from "radix-ui";
import { useState } from "react";

import { shown } from "../commands/keys";
import { COMMANDS, type Command } from "../commands/list";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";

const t = text.shortcuts;
type Line = readonly [title: string, keys: readonly string[]];

export function ShortcutsDialog() {
  const isOpen = useUi((ui) => ui.dialog === "shortcuts");
  return (
    <Dialog.Root open={isOpen} onOpenChange={() => useUi.setState({ dialog: null })}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog shortcuts-dialog" aria-describedby={undefined}>
          <Dialog.Title>{t.title}</Dialog.Title>
          <Shortcuts />
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Shortcuts() {
  const [query, setQuery] = useState("");
  const groups = groupsOf(query).filter(([, lines]) => lines.length > 0);
  return (
    <>
      <input
        type="search"
        className="field shortcuts-search"
        aria-label={t.search}
        placeholder={t.search}
        autoFocus
        value={query}
        onChange={({ target }) => setQuery(target.value)}
      />
      {groups.length === 0 && <p role="status">{text.commands.nothing}</p>}
      <div className="shortcuts">
        {groups.map(([title, lines]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {lines.map(([what, keys]) => (
                <div key={what}>
                  <dt>{what}</dt>
                  <dd>
                    {keys.map((one) => (
                      <kbd key={one}>{one}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </>
  );
}

/** The shortcuts of all commands, and what the mouse does, as far as a query finds them. */
function groupsOf(query: string): [title: string, lines: readonly Line[]][] {
  const commands = Object.entries(text.commands.groups).map(([group, title]): [string, Line[]] => [title, linesOf(group as Command["group"])]);
  const all: [string, readonly Line[]][] = [...commands, [t.mouse, t.gestures]];
  if (query.trim() === "") return all;
  return all.map(([title, lines]) => [title, matchSorter(lines, query, { keys: [([what]) => what, ([, keys]) => [...keys]] })]);
}

function linesOf(group: Command["group"]): Line[] {
  return COMMANDS.filter((one) => one.group === group && one.keys).map(({ title, keys }) => [title, (keys ?? []).map(shown)]);
}
