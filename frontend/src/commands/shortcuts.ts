/** Keys and the clipboard, wherever the focus is on the page. */

import { useEffect } from "react";

import { focusNode } from "../canvas/places";
import { bringIn } from "../store/actions";
import { isTyping, isPressed } from "./keys";
import { COMMANDS, type Command } from "./list";
import { copied, cutSelected, pasteText } from "./selection";
import { useUi } from "../store/ui";
import { useWorkspace } from "../store/workspace";

/** What a press asks for; nothing while a dialog or a menu has the keys. */
export function commandFor(event: KeyboardEvent): Command | undefined {
  if (event.defaultPrevented || event.isComposing || isBusy()) return undefined;
  const pressed = event.key === " " ? "Space" : event.key;
  const command = COMMANDS.find(
    (one) =>
      !one.native &&
      (one.always || !isTyping(event.target)) &&
      one.keys?.some((keys) => isPressed(keys, pressed === "Space" ? spaced(event) : event)),
  );
  // Space on a button presses it.
  return pressed === "Space" && isControl(event.target) ? undefined : command;
}

function isBusy(): boolean {
  const { painting, dialog, adding, linking } = useUi.getState();
  return painting !== null || dialog !== null || adding !== null || linking !== null;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || isBusy()) return;
  if (event.key === "Escape" && event.target instanceof HTMLElement) {
    // Out of a field, to the node that it belongs to.
    const card = event.target.closest<HTMLElement>(".react-flow__node, .list-node");
    const id = card?.dataset.id ?? card?.dataset.node ?? "";
    if (card !== null && card !== event.target) {
      event.target.blur();
      useWorkspace.getState().select([id]);
      focusNode(id);
    }
    if (isTyping(event.target)) return;
  }
  const command = commandFor(event);
  if (command === undefined) return;
  event.preventDefault();
  command.run();
}

function spaced(event: KeyboardEvent): KeyboardEvent {
  const { ctrlKey, metaKey, shiftKey, altKey } = event;
  return new KeyboardEvent("keydown", { key: "Space", ctrlKey, metaKey, shiftKey, altKey });
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, [role=tab], [role=button]") !== null;
}

function isReading(): boolean {
  return (window.getSelection()?.toString() ?? "") !== "";
}

function onCopy(event: ClipboardEvent): void {
  const found = isTyping(event.target) || isReading() ? null : copied();
  if (found === null) return;
  event.clipboardData?.setData("text/plain", found);
  event.preventDefault();
  if (event.type === "cut") cutSelected();
}

function onPaste(event: ClipboardEvent): void {
  if (isTyping(event.target)) return;
  const file = event.clipboardData?.files[0];
  if (file) void bringIn(file);
  else if (pasteText(event.clipboardData?.getData("text/plain") ?? "", null)) event.preventDefault();
}

export function useShortcuts(): void {
  useEffect(() => {
    const listeners = { keydown: onKey, copy: onCopy, cut: onCopy, paste: onPaste } as const;
    for (const [name, listener] of Object.entries(listeners)) {
      document.addEventListener(name, listener as EventListener);
    }
    return () => {
      for (const [name, listener] of Object.entries(listeners)) {
        document.removeEventListener(name, listener as EventListener);
      }
    };
  }, []);
}
