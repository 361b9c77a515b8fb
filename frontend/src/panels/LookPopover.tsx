/** A value at its place: what it is in words and numbers, and its picture. */

import { Eye, LoaderCircle, Play, X } from "lucide-react";
import { Popover } from "radix-ui";
import { useMemo, useRef } from "react";

import type { Job } from "../api/calls";
import { toldBy } from "../graph/lookbody";
import { outputType, typeTitle } from "../graph/links";
import { typeOf } from "../graph/nodetypes";
import { IconButton } from "../shell/IconButton";
import { closeLook, makeValue, useLook, type Look } from "../store/look";
import { FINAL, useServer } from "../store/server";
import { useUi } from "../store/ui";
import { useShownDocument } from "../store/workspace";
import { text } from "../text/en";
import { LookIteration } from "./LookIteration";

const t = text.look;

export function LookPopover() {
  const look = useLook((state) => state.look);
  const anchor = useRef({ getBoundingClientRect: () => new DOMRect() });
  if (look === null) return null;
  const { x, y } = look.at;
  anchor.current = { getBoundingClientRect: () => new DOMRect(x, y, 0, 0) };
  return (
    <Popover.Root open onOpenChange={closeLook}>
      <Popover.Anchor virtualRef={anchor} />
      <Popover.Portal>
        <Popover.Content
          className="look"
          side="right"
          align="start"
          sideOffset={14}
          collisionPadding={12}
          aria-label={t.title}
          // The node that was clicked takes the focus a moment later.
          onFocusOutside={(event) => event.preventDefault()}
        >
          <Head look={look} />
          <Body look={look} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Head({ look: { port } }: { readonly look: Look }) {
  const document = useShownDocument();
  const catalogue = useServer((server) => server.catalogue);
  const classes = useServer((server) => server.vocabulary.classes);
  const told = useMemo(() => {
    if (document === undefined || !Object.hasOwn(document.nodes, port.node)) return null;
    const type = outputType(document, port, { catalogue, classes });
    const title = document.nodes[port.node]?.title ?? typeOf(document, port.node, catalogue).title;
    return { title, type: type ? typeTitle(type) : "" };
  }, [document, port, catalogue, classes]);
  return (
    <div className="look-head">
      <Eye size={15} aria-hidden />
      <span>
        <strong>
          {told?.title} · {port.port.replaceAll("_", " ")}
        </strong>
        <small>{told?.type}</small>
      </span>
      <IconButton label={t.close} icon={X} onClick={closeLook} />
    </div>
  );
}

function Body({ look }: { readonly look: Look }) {
  const job = useServer(({ jobs }) => (look.job === null ? undefined : jobs.get(look.job)));
  switch (look.state) {
    case "missing":
      return (
        <div className="look-missing">
          <p>{t.missing(look.missing.length)}</p>
          <button type="button" className="primary" autoFocus onClick={() => void makeValue()}>
            <Play size={13} aria-hidden fill="currentColor" /> {t.make}
          </button>
        </div>
      );
    case "refused":
      return <Problems problems={look.problems} />;
    case "looking":
      if (job?.state === "done") return <Value job={job} look={look} title={`${look.port.node}.${look.port.port}`} />;
      if (job && FINAL.has(job.state)) return <Problems problems={job.problems} />;
      return <Waiting words={t.looking} />;
    case "making":
      return <Waiting words={t.making} />;
    case "asking":
      return <Waiting words={t.looking} />;
  }
}

function Value({ job, look, title }: { readonly job: Job; readonly look: Look; readonly title: string }) {
  const { words, picture: url, iteration } = toldBy(job, look.body, look.iteration);
  const [first = "", ...more] = words.split("\n").filter(Boolean);
  return (
    <div className="look-value">
      {iteration && <LookIteration {...iteration} />}
      {url && (
        <button type="button" className="look-picture" aria-label={t.enlarge} onClick={() => useUi.setState({ picture: { url, title } })}>
          <img src={url} alt={t.picture(title)} />
        </button>
      )}
      <p className="look-first">{first}</p>
      <ul>
        {more.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

function Waiting({ words }: { readonly words: string }) {
  return (
    <p className="look-waiting" role="status">
      <LoaderCircle size={15} aria-hidden /> {words}
    </p>
  );
}

function Problems({ problems }: { readonly problems: Look["problems"] }) {
  return (
    <div className="look-problems" role="alert">
      {problems.length === 0 && <p>{t.nothing}</p>}
      {problems.map(({ node, input, message, remedy }) => (
        <p key={`${node} ${input} ${message}`}>
          {node && <b>{[node, input].filter(Boolean).join(" · ")}: </b>}
          {message}. {remedy}
        </p>
      ))}
    </div>
  );
}
