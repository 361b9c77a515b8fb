/** The workflow as a form: its named inputs, and its pictures. */

import { FormInput, ImageIcon } from "lucide-react";

import { literalOf, type Document, type Port } from "../graph/document";
import { setInput } from "../graph/edits";
import { inputAt, placesOf } from "../graph/interface";
import type { Json } from "../graph/json";
import { stepsOf, valueAt } from "../graph/members";
import { typeOf } from "../graph/nodetypes";
import { picturesOf } from "../store/pictures";
import { useServer } from "../store/server";
import { useUi } from "../store/ui";
import { useWorkspace, type Tab } from "../store/workspace";
import { text } from "../text/en";
import { storedValue, useSeedPlace, ValueField } from "../widgets/Field";
import { capital } from "../shell/StartPage";
import { Empty } from "./Empty";

export function FormView({ tab }: { readonly tab: Tab }) {
  const names = Object.keys(tab.history.present.inputs ?? {});
  return (
    <section className="form-view">
      <div className="form-inputs">
        <h1>{capital(tab.title || text.untitled)}</h1>
        {names.length === 0 && <Empty icon={FormInput} title={text.form.empty} lead={text.form.emptyLead} />}
        {names.map((name) => (
          <FormRow key={name} tab={tab} name={name} />
        ))}
      </div>
      <Result tab={tab} />
    </section>
  );
}

function FormRow({ tab, name }: { readonly tab: Tab; readonly name: string }) {
  const catalogue = useServer((server) => server.catalogue);
  const document = tab.history.present;
  const places = placesOf(document, name);
  const first = places[0];
  const seed = useSeedPlace(first ?? null);
  if (first === undefined || !Object.hasOwn(document.nodes, first.node)) return null;
  const input = inputAt(typeOf(document, first.node, catalogue), first.port);
  if (input === undefined) return null;
  const help = document.inputs?.[name]?.help ?? input.help;
  const set = (value: Json | undefined) =>
    useWorkspace
      .getState()
      .editAll(
        (one) => places.reduce((edited, place) => fed(edited, place, storedValue(input, value)), one),
        `form ${name}`,
        tab.id, // a picture is uploaded before its name is set
      );
  return (
    <div className="form-row">
      <span className="form-label">
        {capital(name.replaceAll("_", " "))}
        {help && <small>{help}</small>}
      </span>
      <ValueField input={{ ...input, name }} value={literalOf(valueAt(document.nodes[first.node], first.port))} set={set} seed={seed} />
    </div>
  );
}

/** The document with a place set. A member stays where it is: without it, others would be in its place. */
function fed(document: Document, place: Port, value: Json | undefined): Document {
  if (value === undefined && stepsOf(place.port).steps.length > 0) return document;
  return setInput(document, place, value);
}

function Result({ tab }: { readonly tab: Tab }) {
  const job = useServer(({ jobs }) => (tab.job ? jobs.get(tab.job) : undefined));
  const preview = useServer(({ runs }) => {
    const nodes = Object.values(tab.job ? (runs[tab.job]?.nodes ?? {}) : {});
    return nodes.find((node) => node.state === "running" && node.preview)?.preview;
  });
  const pictures = job ? picturesOf(job) : [];
  return (
    <div className="form-result" aria-label={text.form.outputs} role="region">
      {preview && <img src={preview} alt="" className="is-preview" />}
      {!preview &&
        pictures.map(({ url, title }) => (
          <button type="button" key={url} onClick={() => useUi.setState({ picture: { url, title } })}>
            <img src={url} alt={text.results.picture(title)} />
          </button>
        ))}
      {!preview && pictures.length === 0 && <Empty icon={ImageIcon} title={text.form.outputs} lead={text.form.noResult} />}
    </div>
  );
}
