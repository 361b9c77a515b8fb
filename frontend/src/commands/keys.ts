/** Shortcuts as written (`Mod+Shift+Z`), as pressed, and as shown. */

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Whether a press is what a shortcut says. `Mod` is Command on a Mac, Control elsewhere. */
export function isPressed(shortcut: string, event: KeyboardEvent): boolean {
  const parts = shortcut.split("+");
  const key = parts.at(-1) ?? "";
  const wants = (name: string) => parts.slice(0, -1).includes(name);
  // A sign as "?" is typed with Shift on some keyboards, and without on others.
  const isSign = /^[^a-z0-9]$/i.test(key);
  const mod = isMac ? event.metaKey : event.ctrlKey;
  return (
    mod === wants("Mod") &&
    (isSign || event.shiftKey === wants("Shift")) &&
    event.altKey === wants("Alt") &&
    event.key.toLowerCase() === key.toLowerCase()
  );
}

const ARROWS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

export function shown(shortcut: string): string {
  const names: Record<string, string> = isMac
    ? { ...ARROWS, Mod: "⌘", Shift: "⇧", Alt: "⌥", Enter: "↵", Delete: "⌫" }
    : { ...ARROWS, Mod: "Ctrl", Enter: "↵", Delete: "Del" };
  return shortcut.split("+").map((part) => names[part] ?? part.toUpperCase().replace(/^(.{2,})$/, part)).join(isMac ? "" : " ");
}

/** Whether keys are being typed into a field, where letters mean letters. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
