/** Bring a picture from the disk into a node that loads pictures. */

import { Upload } from "lucide-react";
import { useRef } from "react";

import { upload } from "../api/calls";
import { IconButton } from "../shell/IconButton";
import { tellError } from "../store/errors";
import { refreshVocabulary } from "../store/server";
import { text } from "../text/en";

export function UploadButton({ set }: { readonly set: (value: string) => void }) {
  const picker = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      const { use_as } = await upload(file);
      await refreshVocabulary();
      set(use_as);
    } catch (error) {
      tellError(error, text.notice.badFile(file.name));
    }
  };
  return (
    <>
      <IconButton className="nodrag" label={text.widget.upload} icon={Upload} onClick={() => picker.current?.click()} />
      <input
        ref={picker}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        hidden
        onChange={(event) => void take(event.target.files?.[0])}
      />
    </>
  );
}
