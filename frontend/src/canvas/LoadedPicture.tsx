/** On nodes that load a picture: the picture, and where its mask can be painted. */

import { Brush } from "lucide-react";
import { useState } from "react";

import { loadedBy, paintableOf } from "../graph/pictures";
import type { SceneNode } from "../graph/scene";
import { paintMask } from "../store/masks";
import { pictureUrl } from "../store/pictures";
import { text } from "../text/en";

export function LoadedPicture({ scene: { id, entry, type } }: { readonly scene: SceneNode }) {
  const loaded = loadedBy(entry, type);
  if (loaded === null) return null;
  const { file } = loaded;
  const paintable = paintableOf(entry, type);
  return (
    <div className="loaded-picture">
      <Picture key={file} file={file} />
      {paintable && (
        <button type="button" className="node-action nodrag" onClick={() => paintMask({ node: id, port: paintable.port }, paintable.file)}>
          <Brush size={14} aria-hidden /> {text.mask.open}
        </button>
      )}
    </div>
  );
}

/** Its place is kept free until it is there, so that nodes around it stay where they are. */
function Picture({ file }: { readonly file: string }) {
  const [isBroken, setBroken] = useState(false);
  // The field above says its name, and that it is not there.
  if (isBroken) return null;
  return <img src={pictureUrl(file)} alt={text.widget.loaded(file)} draggable={false} onError={() => setBroken(true)} />;
}
