/** A choice among pictures, which are seen: those of the user's folder, uploads, and results. */

import { Command } from "cmdk";
import { ChevronsUpDown, ImageOff } from "lucide-react";
import { Popover } from "radix-ui";
import { useEffect, useMemo, useState } from "react";

import type { Json } from "../graph/json";
import { IMAGES, pictureTitle } from "../graph/pictures";
import { uploadPicture } from "../store/actions";
import { refreshUploads, useFiles } from "../store/files";
import { picturesOf, pictureUrl } from "../store/pictures";
import { listed, refreshVocabulary, useServer } from "../store/server";
import { text } from "../text/en";

interface Props {
  readonly label: string;
  readonly value: Json | undefined;
  readonly set: (value: Json) => void;
}

const NONE: readonly string[] = [];
const RESULTS = 24;
const t = text.widget;

export function PictureField({ label, value, set }: Props) {
  const [isOpen, setOpen] = useState(false);
  const names = useServer(({ vocabulary }) => vocabulary.files[IMAGES] ?? NONE);
  const uploads = useFiles((files) => files.uploads);
  const file = typeof value === "string" ? value : "";
  const isMissing = file !== "" && !names.includes(file);
  const shown = file === "" ? (value === null ? t.nothing : t.choose) : pictureTitle(file, uploads);
  useEffect(() => {
    // An upload is named by its content: what it was called is told apart.
    if (file !== "" && shown === file && file.startsWith("uploads/")) void refreshUploads();
  }, [file, shown]);
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button
          type="button"
          className={`field menu-field nodrag ${isMissing ? "is-missing" : ""}`}
          aria-label={label}
          role="combobox"
          aria-expanded={isOpen}
          title={isMissing ? t.missing(file) : shown}
        >
          <span>{shown}</span>
          <ChevronsUpDown size={12} aria-hidden />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="menu picture-choices" align="end" sideOffset={4} collisionPadding={8}>
          <Choices
            names={names}
            set={(chosen) => {
              set(chosen);
              setOpen(false);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Choices({ names, set }: { readonly names: readonly string[]; readonly set: (file: string) => void }) {
  const uploads = useFiles((files) => files.uploads);
  const jobs = useServer((server) => server.jobs);
  const results = useMemo(() => listed(jobs).flatMap(picturesOf).slice(0, RESULTS), [jobs]);
  useEffect(() => {
    void refreshUploads();
    void refreshVocabulary();
  }, []);
  // Uploads first, the newest before the others.
  const newest = [...uploads.keys()].filter((name) => names.includes(name));
  const files = [...newest, ...names.filter((name) => !uploads.has(name))];
  const take = async (picture: { url: string; title: string }) => {
    const kept = await uploadPicture(picture);
    if (kept !== null) set(kept);
  };
  return (
    <Command loop>
      <Command.Input placeholder={t.searchPictures} aria-label={t.searchPictures} />
      <Command.List>
        <Command.Empty>{t.none}</Command.Empty>
        {files.length > 0 && (
          <Command.Group heading={t.yourPictures}>
            {files.map((file) => (
              <Command.Item key={file} value={`${pictureTitle(file, uploads)} ${file}`} onSelect={() => set(file)}>
                <Thumbnail url={pictureUrl(file)} />
                <span>{pictureTitle(file, uploads)}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        {results.length > 0 && (
          <Command.Group heading={t.results}>
            {results.map((picture) => (
              <Command.Item key={picture.url} value={`${picture.title} ${picture.url}`} onSelect={() => void take(picture)}>
                <Thumbnail url={picture.url} />
                <span>{picture.title}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
      </Command.List>
    </Command>
  );
}

/** A small picture; what cannot be shown is told by its name alone. */
function Thumbnail({ url }: { readonly url: string }) {
  const [isBroken, setBroken] = useState(false);
  return (
    <span className="thumbnail">
      {isBroken ? <ImageOff size={18} aria-hidden /> : <img src={url} alt="" loading="lazy" draggable={false} onError={() => setBroken(true)} />}
    </span>
  );
}
