/** A choice among names, with a search where there are many. */

import { Command } from "cmdk";
import { Check, ChevronsUpDown } from "lucide-react";
import { Popover } from "radix-ui";
import { useState } from "react";

import type { Json } from "../graph/json";
import { text } from "../text/en";

export interface Option {
  readonly value: string | number | boolean | null;
  readonly label: string;
  readonly help?: string;
}

interface Props {
  readonly label: string;
  readonly options: readonly Option[];
  readonly value: Json | undefined;
  readonly set: (value: Json) => void;
  readonly onOpen?: () => void;
  /** What stands there while nothing is chosen. */
  readonly empty?: string;
}

const MANY = 7;

export function MenuField({ label, options, value, set, onOpen, empty }: Props) {
  const [isOpen, setOpen] = useState(false);
  const chosen = options.find((option) => option.value === (value ?? null));
  const isMissing = chosen === undefined && value !== undefined && value !== null;
  const shown = chosen?.label ?? empty ?? (isMissing ? String(value) : value === null ? text.widget.nothing : text.widget.choose);
  return (
    <Popover.Root
      open={isOpen}
      onOpenChange={(next) => {
        if (next) onOpen?.();
        setOpen(next);
      }}
    >
      <Popover.Trigger asChild>
        <button
          type="button"
          className={`field menu-field nodrag ${isMissing ? "is-missing" : ""}`}
          aria-label={label}
          role="combobox"
          aria-expanded={isOpen}
          title={isMissing ? text.widget.missing(String(value)) : shown}
        >
          <span>{shown}</span>
          <ChevronsUpDown size={12} aria-hidden />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="menu choices" align="end" sideOffset={4} collisionPadding={8}>
          <Command loop defaultValue={chosen?.label ?? ""}>
            <Command.Input
              className={options.length > MANY ? "" : "is-hidden"}
              placeholder={text.widget.search}
              aria-label={text.widget.search}
            />
            <Command.List>
              <Command.Empty>{text.widget.none}</Command.Empty>
              {options.map((option) => (
                <Command.Item
                  key={String(option.value)}
                  value={option.label}
                  onSelect={() => {
                    set(option.value);
                    setOpen(false);
                  }}
                >
                  <Check size={13} className={option === chosen ? "" : "is-invisible"} aria-hidden />
                  <span className="choice-text">
                    {option.label}
                    {option.help && <small>{option.help}</small>}
                  </span>
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
