/** The library of nodes beside the canvas: whether it is open, and what somebody likes of it. Kept by the browser. */

import { create } from "zustand";

import type { NodeType } from "../graph/catalogue";
import { isKnownEverywhere, LIKED, RECENT, usedLast } from "../graph/shelf";
import { parseJson } from "../graph/json";
import { keepPreference, preference } from "./preferences";
import { isSmall } from "./screen";
import { useUi } from "./ui";

interface ShelfState {
  readonly isOpen: boolean;
  /** Ids of types. */
  readonly liked: readonly string[];
  readonly recent: readonly string[];
  /** The sections that are unfolded. */
  readonly open: ReadonlySet<string>;
  /** The type that is being dragged. */
  readonly dragged: NodeType | null;
}

/** What a type is while it is dragged. */
export const NODE_TYPE = "application/x-nodegraph-type";

export const useShelf = create<ShelfState>()(() => ({
  // On a small screen it would lie over what was opened.
  isOpen: preference("shelf") === "open" && !isSmall(),
  liked: keptList("shelf.liked"),
  recent: keptList("shelf.recent"),
  open: new Set(preference("shelf.sections") === null ? [LIKED, RECENT] : keptList("shelf.sections")),
  dragged: null,
}));

function keptList(name: string): string[] {
  try {
    const kept = parseJson(preference(name) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function setShelf(isOpen: boolean): void {
  if (isSmall()) {
    // There is room for one sheet.
    if (isOpen) useUi.setState({ panel: null });
  } else keepPreference("shelf", isOpen ? "open" : "closed");
  useShelf.setState({ isOpen });
}

export function toggleSection(section: string): void {
  const open = new Set(useShelf.getState().open);
  if (!open.delete(section)) open.add(section);
  keepPreference("shelf.sections", JSON.stringify([...open]));
  useShelf.setState({ open });
}

export function toggleLiked({ id }: NodeType): void {
  const { liked } = useShelf.getState();
  const next = liked.includes(id) ? liked.filter((one) => one !== id) : [...liked, id];
  keepPreference("shelf.liked", JSON.stringify(next));
  useShelf.setState({ liked: next });
}

/** Remember that a node of a type was added. */
export function noteUse(type: NodeType): void {
  if (!isKnownEverywhere(type)) return;
  const recent = usedLast(useShelf.getState().recent, type.id);
  keepPreference("shelf.recent", JSON.stringify(recent));
  useShelf.setState({ recent });
}
