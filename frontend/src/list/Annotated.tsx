/** The groups of a graph in which no node lies, and its notes, after its nodes. */

import { annotationsOf, changeAnnotation } from "../graph/annotations";
import type { Chapter } from "../graph/chapters";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";

export function Annotated({ chapters }: { readonly chapters: readonly Chapter[] }) {
  const document = useShownDocument();
  if (document === undefined) return null;
  const told = new Set(chapters.map(({ group }) => group));
  const groups = [...annotationsOf(document, "groups")].filter(([id]) => !told.has(id));
  const notes = [...annotationsOf(document, "notes")];
  return (
    <>
      {groups.length > 0 && (
        <section className="list-annotated">
          <h2>{text.list.groups}</h2>
          <ul>
            {groups.map(([id, group]) => (
              <li key={id}>{group.text || text.annotation.untitled}</li>
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
