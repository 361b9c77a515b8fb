/** The groups and notes of a graph, after its nodes. */

import { annotationsOf, changeAnnotation, inside } from "../graph/annotations";
import { estimate } from "../graph/estimate";
import type { Scene } from "../graph/scene";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { titleIn } from "./context";

export function Annotated({ scene }: { readonly scene: Scene }) {
  const document = useShownDocument();
  if (document === undefined) return null;
  const groups = [...annotationsOf(document, "groups")];
  const notes = [...annotationsOf(document, "notes")];
  const boxes = new Map([...scene.nodes].map(([id, node]) => [id, { ...node.position, ...estimate(node) }]));
  return (
    <>
      {groups.length > 0 && (
        <section className="list-annotated">
          <h2>{text.list.groups}</h2>
          <ul>
            {groups.map(([id, group]) => (
              <li key={id}>{text.list.groupOf(group.text, inside(group, boxes).map((node) => titleIn(scene, node)).join(", "))}</li>
            ))}
          </ul>
        </section>
      )}
      {notes.length > 0 && (
        <section className="list-annotated">
          <h2>{text.list.notes}</h2>
          {notes.map(([id, note]) => (
            <textarea
              key={id}
              className="field prompt"
              aria-label={text.annotation.note}
              placeholder={text.annotation.empty}
              value={note.text}
              onChange={({ target }) =>
                useWorkspace.getState().edit((one) => changeAnnotation(one, "notes", id, { text: target.value }), `notes ${id} text`)
              }
            />
          ))}
        </section>
      )}
    </>
  );
}
