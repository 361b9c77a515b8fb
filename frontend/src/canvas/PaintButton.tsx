/** On nodes that give a picture and its mask from a file: the mask can be painted here. */

import { Brush } from "lucide-react";

import type { SceneNode } from "../graph/scene";
import { paintableOf } from "../graph/pictures";
import { paintMask } from "../store/masks";
import { text } from "../text/en";

export function PaintButton({ scene: { id, entry, type } }: { readonly scene: SceneNode }) {
  const found = paintableOf(entry, type);
  if (found === null) return null;
  return (
    <button type="button" className="node-action nodrag" onClick={() => paintMask({ node: id, port: found.port }, found.file)}>
      <Brush size={14} aria-hidden /> {text.mask.open}
    </button>
  );
}
