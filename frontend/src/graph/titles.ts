/** What nodes are called where they are told of by their titles: no two of a graph are called the same. */

import type { Scene } from "./scene";
import { ENTRANCE, EXIT } from "./scope";

const known = new WeakMap<Scene, ReadonlyMap<string, string>>();

/** The title of each node; with its id where others have the same title. */
export function titlesOf(scene: Scene, border: { readonly inputs: string; readonly outputs: string }): ReadonlyMap<string, string> {
  const before = known.get(scene);
  if (before) return before;
  const plain = new Map([...scene.nodes.values()].map(({ id, entry, type }) => [id, entry.title ?? type.title]));
  plain.delete(ENTRANCE);
  plain.delete(EXIT);
  const counts = new Map<string, number>();
  for (const title of plain.values()) counts.set(title, (counts.get(title) ?? 0) + 1);
  const titles = new Map([...plain].map(([id, title]) => [id, (counts.get(title) ?? 0) > 1 ? `${title} (${id})` : title]));
  if (scene.nodes.has(ENTRANCE)) titles.set(ENTRANCE, border.inputs);
  if (scene.nodes.has(EXIT)) titles.set(EXIT, border.outputs);
  known.set(scene, titles);
  return titles;
}
