/** Nodes of the list that follow each other: those of a group under its title. */

import type { Annotation } from "../graph/annotations";
import type { Chapter as Nodes } from "../graph/chapters";
import type { Scene } from "../graph/scene";
import { text } from "../text/en";
import { titleIn } from "./context";
import { NodeSection } from "./NodeSection";
import { keyOf } from "./opened";

interface Props {
  readonly chapter: Nodes;
  /** The group; undefined for nodes that lie in none. */
  readonly group: Annotation | undefined;
  readonly scene: Scene;
  readonly place: string;
  readonly count: number;
}

export function Chapter({ chapter, group, scene, place, count }: Props) {
  const nodes = (
    <ol className="list-nodes">
      {chapter.nodes.map((id) => {
        const node = scene.nodes.get(id);
        return node && (
          <li key={id}>
            <NodeSection node={node} title={titleIn(scene, id)} place={keyOf(place, id)} count={count} level={group ? 3 : 2} />
          </li>
        );
      })}
    </ol>
  );
  if (group === undefined) return nodes;
  const title = group.text || text.annotation.untitled;
  return (
    <section className={`list-chapter colour-${group.colour}`} aria-label={text.annotation.group(title)} data-group={chapter.group}>
      <h2>{title}</h2>
      {nodes}
    </section>
  );
}
