/** The way out of a dialog that fills the screen: beside it there is nothing to tap on. */

import { X } from "lucide-react";
import { Dialog } from "radix-ui";

import { text } from "../text/en";

export function CloseButton() {
  return (
    <Dialog.Close className="icon-button dialog-close" aria-label={text.dialog.close} title={text.dialog.close}>
      <X size={18} aria-hidden />
    </Dialog.Close>
  );
}
