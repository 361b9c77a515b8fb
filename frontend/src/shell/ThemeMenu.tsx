/** Light, dark, or as the system is. */

import { Check, Moon, Sun, SunMoon } from "lucide-react";
import { DropdownMenu } from "radix-ui";

import { setTheme, useUi, type Theme } from "../store/ui";
import { text } from "../text/en";
import { menuHome } from "./menuHome";

const ICONS = { system: SunMoon, light: Sun, dark: Moon } as const;

export function ThemeMenu() {
  const theme = useUi((ui) => ui.theme);
  const Icon = ICONS[theme];
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="icon-button" aria-label={text.theme.title} title={text.theme.title}>
        <Icon size={16} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={menuHome()}>
        <DropdownMenu.Content className="menu" align="end" sideOffset={6} collisionPadding={8}>
          <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => setTheme(value as Theme)}>
            {Object.entries(text.theme.names).map(([value, name]) => (
              <DropdownMenu.RadioItem key={value} className="menu-item" value={value}>
                {name}
                <DropdownMenu.ItemIndicator>
                  <Check size={14} aria-hidden />
                </DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
