/** What the lines of the list look up in the graph around them. */

import { createContext, useContext } from "react";

import type { Port } from "../graph/document";
import { EMPTY_SCENE, type Scene } from "../graph/scene";
import { titlesOf } from "../graph/titles";
import { text } from "../text/en";

export const SceneContext = createContext<Scene>(EMPTY_SCENE);

/** Where a link into an input comes from. */
export function useSource(node: string, port: string): Port | undefined {
  return useContext(SceneContext).links.find(({ to }) => to.node === node && to.port === port)?.from;
}

/** Who reads an output. */
export function useReaders(node: string, port: string): readonly Port[] {
  const { links } = useContext(SceneContext);
  return links.filter(({ from }) => from.node === node && from.port === port).map(({ to }) => to);
}

export function useTitle(node: string): string {
  return titleIn(useContext(SceneContext), node);
}

export function titleIn(scene: Scene, node: string): string {
  return titlesOf(scene, text.subgraph).get(node) ?? node;
}
