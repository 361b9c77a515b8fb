/** The lines of the library: a category that folds, and a node that is dragged, added and liked. */

import { ChevronRight, Star } from "lucide-react";
import type { HTMLAttributes } from "react";

import { categoryColour } from "../canvas/looks";
import { isTouch } from "../canvas/touch";
import type { NodeType } from "../graph/catalogue";
import { isKnownEverywhere, LIKED, RECENT, type ShelfLine } from "../graph/shelf";
import { NODE_TYPE, toggleLiked, useShelf } from "../store/shelf";
import { text } from "../text/en";
import { SocketsOf } from "./ShelfSockets";

const t = text.shelf;

/** What every line of the tree has. */
type Shared = HTMLAttributes<HTMLDivElement>;
type Line<K extends ShelfLine["kind"]> = Extract<ShelfLine, { kind: K }>;

function titleOf(section: string): string {
  if (section === LIKED) return t.sections.liked;
  if (section === RECENT) return t.sections.recent;
  return section === "" ? t.sections.other : section.replaceAll("/", " · ");
}

interface SectionProps {
  readonly line: Line<"section">;
  readonly shared: Shared;
  readonly toggle: () => void;
}

export function SectionLine({ line: { section, count, isOpen }, shared, toggle }: SectionProps) {
  return (
    <div {...shared} className="shelf-section" aria-level={1} aria-expanded={isOpen} onClick={toggle}>
      <ChevronRight size={14} aria-hidden />
      {section === LIKED ? <Star size={12} className="shelf-star-mark" fill="currentColor" aria-hidden /> : section !== RECENT && <Dot category={section} />}
      <span className="shelf-title">{titleOf(section)}</span>
      <span className="shelf-count" title={t.count(count)} aria-hidden>
        {count}
      </span>
    </div>
  );
}

interface TypeProps {
  readonly line: Line<"type">;
  readonly shared: Shared;
  readonly isActive: boolean;
  readonly place: () => void;
  readonly tell: () => void;
}

export function TypeLine({ line: { type, level }, shared, isActive, place, tell }: TypeProps) {
  return (
    <div
      {...shared}
      className={`shelf-type is-level-${level}`}
      aria-level={level}
      aria-label={type.title}
      data-type={type.id}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(NODE_TYPE, type.id);
        event.dataTransfer.effectAllowed = "copy";
        useShelf.setState({ dragged: type });
      }}
      onDragEnd={() => useShelf.setState({ dragged: null })}
      onMouseEnter={tell}
      // With a finger there is no second click to wait for.
      onClick={() => {
        if (isTouch()) place();
      }}
      onDoubleClick={() => {
        if (!isTouch()) place();
      }}
    >
      <Dot category={type.category} />
      <span className="shelf-name">
        <span className="shelf-title">{type.title}</span>
        {type.help !== "" && <span className="shelf-first">{type.help.split("\n")[0]}</span>}
      </span>
      <SocketsOf type={type} />
      {isKnownEverywhere(type) ? <Liking type={type} isReached={isActive} /> : <span className="shelf-star" />}
    </div>
  );
}

function Dot({ category }: { readonly category: string }) {
  return <span className="add-dot" style={{ "--colour": categoryColour(category) }} />;
}

function Liking({ type, isReached }: { readonly type: NodeType; readonly isReached: boolean }) {
  const isLiked = useShelf(({ liked }) => liked.includes(type.id));
  const label = isLiked ? t.unlike(type.title) : t.like(type.title);
  return (
    <button
      type="button"
      className={`shelf-star ${isLiked ? "is-liked" : ""}`}
      tabIndex={isReached ? 0 : -1}
      aria-label={label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        toggleLiked(type);
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      <Star size={13} fill={isLiked ? "currentColor" : "none"} aria-hidden />
    </button>
  );
}
