/** A picture in full. */

import { Download, X } from "lucide-react";
import { Dialog } from "radix-ui";

import { useUi } from "../store/ui";
import { text } from "../text/en";
import { IconButton } from "./IconButton";

export function PictureDialog() {
  const picture = useUi((ui) => ui.picture);
  const close = () => useUi.setState({ picture: null });
  return (
    <Dialog.Root open={picture !== null} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="picture-dialog" aria-describedby={undefined}>
          <div className="picture-bar">
            <Dialog.Title>{picture?.title}</Dialog.Title>
            <a className="icon-button" href={picture?.url} download aria-label={text.results.download} title={text.results.download}>
              <Download size={16} aria-hidden />
            </a>
            <IconButton label={text.results.close} icon={X} onClick={close} />
          </div>
          {picture && <img src={picture.url} alt={text.results.picture(picture.title)} />}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
