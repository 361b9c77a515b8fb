/** A picture in full: what made it, its neighbours, and a comparison with another one. */

import { Columns2, Download, FolderInput, Info, Workflow, X, ChevronLeft, ChevronRight } from "lucide-react";
import { Dialog } from "radix-ui";
import { useMemo, useState } from "react";

import { openJob, takeAsInput } from "../store/actions";
import { picturesOf } from "../store/pictures";
import { listed, useServer } from "../store/server";
import { useUi, type OpenPicture } from "../store/ui";
import { text } from "../text/en";
import { CompareView } from "./CompareView";
import { IconButton } from "./IconButton";
import { Parameters } from "./Parameters";
import { ZoomView } from "./ZoomView";

const t = text.results;
const close = () => useUi.setState({ picture: null });

export function PictureDialog() {
  const picture = useUi((ui) => ui.picture);
  return (
    <Dialog.Root open={picture !== null} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay is-front" />
        {picture && <Content picture={picture} />}
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Content({ picture }: { readonly picture: OpenPicture }) {
  const [hasParameters, setParameters] = useState(true);
  const jobs = useServer((server) => server.jobs);
  const all = useMemo(() => listed(jobs).flatMap(picturesOf), [jobs]);
  const index = all.findIndex(({ url }) => url === picture.url);
  const at = all[index];
  const newer = index > 0 ? all[index - 1] : undefined;
  const older = index >= 0 ? all[index + 1] : undefined;
  const { compare } = picture;
  const go = (one: OpenPicture | undefined) => one && useUi.setState({ picture: { url: one.url, title: one.title } });

  return (
    <Dialog.Content
      className="picture-dialog"
      aria-describedby={undefined}
      onOpenAutoFocus={(event) => {
        if (compare) return; // its divider takes the focus
        event.preventDefault();
        (event.currentTarget as HTMLElement).focus();
      }}
      onKeyDown={(event) => {
        // In a comparison the arrows move the divider.
        if (compare) return;
        if (event.key === "ArrowLeft") go(newer);
        if (event.key === "ArrowRight") go(older);
      }}
    >
      <div className="picture-bar">
        <Dialog.Title>{picture.title}</Dialog.Title>
        {index >= 0 && !compare && (
          <>
            <IconButton label={t.newer} icon={ChevronLeft} aria-disabled={!newer} onClick={() => go(newer)} />
            <IconButton label={t.older} icon={ChevronRight} aria-disabled={!older} onClick={() => go(older)} />
          </>
        )}
        {(older || compare) && (
          <IconButton
            label={compare ? t.endCompare : t.compareOlder}
            icon={Columns2}
            pressed={compare !== undefined}
            onClick={() => useUi.setState({ picture: { url: picture.url, title: picture.title, ...(compare || !older ? {} : { compare: older }) } })}
          />
        )}
        {at && <IconButton label={t.parameters} icon={Info} pressed={hasParameters} onClick={() => setParameters(!hasParameters)} />}
        {at && (
          <IconButton
            label={t.open}
            icon={Workflow}
            onClick={() => {
              close();
              void openJob(at.job);
            }}
          />
        )}
        <IconButton
          label={t.useAsInput}
          icon={FolderInput}
          onClick={() => {
            close();
            void takeAsInput(picture);
          }}
        />
        <a className="icon-button" href={picture.url} download aria-label={t.download} title={t.download}>
          <Download size={16} aria-hidden />
        </a>
        <IconButton label={t.close} icon={X} onClick={close} />
      </div>
      <div className="picture-body">
        {compare ? <CompareView left={compare} right={picture} /> : <ZoomView key={picture.url} picture={picture} />}
        {at && hasParameters && <Parameters key={at.job.id} job={at.job} />}
      </div>
    </Dialog.Content>
  );
}
