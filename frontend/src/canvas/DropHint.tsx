/** While a node of the library is dragged over a link: whether it would be put into it. */

import type { Port } from "../graph/document";
import type { Scene } from "../graph/scene";
import { useShelf } from "../store/shelf";
import { text } from "../text/en";
import type { DropHint as Hint } from "./useShelfDrop";

const t = text.shelf;

export function DropHint({ hint, scene }: { readonly hint: Hint | null; readonly scene: Scene }) {
  const title = useShelf(({ dragged }) => dragged?.title ?? "");
  if (hint === null || title === "") return null;
  const named = ({ node }: Port) => {
    const found = scene.nodes.get(node);
    return found?.entry.title ?? found?.type.title ?? node;
  };
  const { at, fits, link } = hint;
  return (
    <div className={`connection-hint drop-hint ${fits ? "is-fitting" : ""}`} style={{ left: at.x + 18, top: at.y + 16 }} role="status">
      {fits ? (
        t.into(title, named(link.from), named(link.to))
      ) : (
        <>
          <strong>{t.notInto(title)}</strong>
          {t.notIntoLead}
        </>
      )}
    </div>
  );
}
