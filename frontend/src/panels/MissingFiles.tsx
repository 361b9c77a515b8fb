/** Files that are missing, each once: what could be used instead, and another look into the folders. */

import { FileX2, RefreshCw } from "lucide-react";
import { useMemo, useState } from "react";

import type { Problem } from "../api/client";
import { missingFiles, withFile, type MissingFile } from "../graph/missing";
import { IMAGES } from "../graph/pictures";
import { plainPath } from "../graph/run";
import { lookForFiles } from "../store/files";
import { useServer } from "../store/server";
import { useActiveTab, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { MenuField } from "../widgets/MenuField";

const t = text.problems;
const UNKNOWN = "unknown_file";

/** What is missing of the workflow at hand, where the server says that something is. */
export function useMissing(problems: readonly Problem[]): readonly MissingFile[] {
  const document = useActiveTab()?.history.present;
  const catalogue = useServer((server) => server.catalogue);
  const files = useServer((server) => server.vocabulary.files);
  const isAny = problems.some(({ code }) => code === UNKNOWN);
  return useMemo(() => (isAny && document ? missingFiles(document, catalogue, files) : []), [isAny, document, catalogue, files]);
}

/** Whether a problem is told among the missing files already. */
export function isTold({ code, node, input }: Problem, missing: readonly MissingFile[]): boolean {
  const id = plainPath(node ?? "").split("/").at(-1);
  return code === UNKNOWN && missing.some(({ places }) => places.some((place) => place.node === id && place.port === input));
}

interface Props {
  readonly files: readonly MissingFile[];
  readonly goTo: (node: string) => void;
}

export function MissingFiles({ files, goTo }: Props) {
  if (files.length === 0) return null;
  const models = files.filter(({ kind }) => kind !== IMAGES);
  const pictures = files.filter(({ kind }) => kind === IMAGES);
  return (
    <div className="missing-files">
      {models.length > 0 && <Group title={t.missingModels} files={models} goTo={goTo} />}
      {pictures.length > 0 && <Group title={t.missingPictures} files={pictures} goTo={goTo} />}
      <p>{t.missingLead}</p>
      <LookAgain />
    </div>
  );
}

function LookAgain() {
  const [isLooking, setLooking] = useState(false);
  const look = async () => {
    setLooking(true);
    await lookForFiles();
    setLooking(false);
  };
  return (
    <button type="button" className="secondary" disabled={isLooking} onClick={() => void look()}>
      <RefreshCw size={13} aria-hidden /> {t.lookAgain}
    </button>
  );
}

function Group({ title, files, goTo }: Props & { readonly title: string }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul>
        {files.map((file) => (
          <Missing key={`${file.kind}/${file.name}`} file={file} goTo={goTo} />
        ))}
      </ul>
    </section>
  );
}

function Missing({ file, goTo }: { readonly file: MissingFile; readonly goTo: (node: string) => void }) {
  const { kind, name, places, near } = file;
  const all = useServer(({ vocabulary }) => vocabulary.files[kind]);
  const shown = useActiveTab()?.history.present.nodes;
  const replace = (other: string) =>
    useWorkspace.getState().editAll((document) => withFile(document, useServer.getState().catalogue, file, other));
  const first = places[0]?.node;
  return (
    <li>
      <strong>
        <FileX2 size={14} aria-hidden /> {name}
      </strong>
      <span className="missing-where">
        {t.inKind(kind)} ·{" "}
        {first !== undefined && shown && Object.hasOwn(shown, first) ? (
          <button type="button" title={t.go(first)} onClick={() => goTo(first)}>
            {t.usedBy(places.length)}
          </button>
        ) : (
          t.usedBy(places.length)
        )}
      </span>
      <span className="missing-near">
        {near.map((other) => (
          <button key={other} type="button" aria-label={t.replaceBy(name, other)} title={t.replaceBy(name, other)} onClick={() => replace(other)}>
            {other}
          </button>
        ))}
      </span>
      {all === undefined || all.length === 0 ? (
        <span className="quiet">{t.noneOfKind}</span>
      ) : (
        <MenuField
          label={t.anotherFor(name)}
          value={null}
          empty={t.another}
          options={all.map((other) => ({ value: other, label: other }))}
          set={(other) => replace(String(other))}
        />
      )}
    </li>
  );
}
