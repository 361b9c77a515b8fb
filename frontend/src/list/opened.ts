/** Which nodes of the list are open. */

import { create } from "zustand";

/** In a graph of more nodes they are closed at first, so that the list can be looked over. */
const FEW = 12;

interface Opened {
  /** What people chose, by document and node; what is not among it goes by the size of the graph. */
  readonly chosen: Readonly<Record<string, boolean>>;
}

export const useOpened = create<Opened>()(() => ({ chosen: {} }));

/** A node in its place: two tabs, or two subgraphs, may have nodes of the same name. */
export function keyOf(place: string, id: string): string {
  return `${place} ${id}`;
}

export function isOpen({ chosen }: Opened, key: string, count: number): boolean {
  return chosen[key] ?? count <= FEW;
}

export function setOpen(keys: readonly string[], value: boolean): void {
  const changed = Object.fromEntries(keys.map((key) => [key, value]));
  useOpened.setState(({ chosen }) => ({ chosen: { ...chosen, ...changed } }));
}
