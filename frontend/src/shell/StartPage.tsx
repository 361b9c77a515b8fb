/** The start: templates with their pictures, and the workflows that were saved. */

import { FilePlus2, Workflow } from "lucide-react";
import { useEffect, useState } from "react";

import { getTemplates, getWorkflows, type Template, type WorkflowItem } from "../api/calls";
import { openSaved, openTemplate } from "../store/actions";
import { tellError } from "../store/errors";
import { useServer } from "../store/server";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { ago } from "./ago";

/** The first steps come first; whatever packs add follows. */
const FIRST = ["text-to-image", "image-to-image", "inpaint", "lora"];

export function StartPage() {
  const status = useServer((server) => server.status);
  const [templates, setTemplates] = useState<readonly Template[]>([]);
  const [workflows, setWorkflows] = useState<readonly WorkflowItem[]>([]);
  useEffect(() => {
    if (status !== "ready") return;
    getTemplates().then((found) => setTemplates(ordered(found)), tellError);
    getWorkflows().then(setWorkflows, tellError);
  }, [status]);
  const { open } = useWorkspace.getState();
  return (
    <section className="start">
      <div className="start-inner">
        <h1>{text.start.title}</h1>
        <p className="lead">{text.start.lead}</p>
        {status === "starting" && <p className="lead">{text.start.loading}</p>}
        <h2>{text.start.templates}</h2>
        <ul className="gallery">
          {templates.map((template) => (
            <li key={template.name}>
              <button type="button" className="template" data-template={template.name} onClick={() => void openTemplate(template.name)}>
                <span className="template-picture">
                  {template.picture ? <img src={template.picture} alt="" loading="lazy" /> : <Workflow size={32} aria-hidden />}
                </span>
                <strong>{capital(template.title)}</strong>
                <span className="template-about">{template.about}</span>
              </button>
            </li>
          ))}
          <li>
            <button type="button" className="template is-empty" onClick={() => open({ nodegraph: 1, nodes: {} })}>
              <span className="template-picture">
                <FilePlus2 size={32} aria-hidden />
              </span>
              <strong>{text.start.empty}</strong>
              <span className="template-about">{text.start.emptyAbout}</span>
            </button>
          </li>
        </ul>
        <h2>{text.start.recent}</h2>
        {workflows.length === 0 && <p className="quiet">{text.start.noWorkflows}</p>}
        <ul className="saved-list">
          {workflows.map(({ id, name, revision, updated }) => (
            <li key={id}>
              <button type="button" onClick={() => void openSaved(name)}>
                <Workflow size={15} aria-hidden />
                <strong>{name}</strong>
                <span>
                  {text.open.revision(revision)} · {ago(updated)}
                </span>
              </button>
            </li>
          ))}
        </ul>
        <p className="quiet">{text.start.drop}</p>
      </div>
    </section>
  );
}

function ordered(templates: readonly Template[]): Template[] {
  const rank = ({ name }: Template) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...templates].sort((a, b) => rank(a) - rank(b));
}

export function capital(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1);
}
