/** The tree of node types: one line has the focus, arrow keys walk, Enter adds. */

import { useImperativeHandle, useRef, useState, type KeyboardEvent, type Ref } from "react";

import type { NodeType } from "../graph/catalogue";
import { shelfStep, type ShelfLine } from "../graph/shelf";
import { toggleSection } from "../store/shelf";
import { text } from "../text/en";
import { ABOUT } from "./ShelfAbout";
import { SectionLine, TypeLine } from "./ShelfLines";

export interface TreeHandle {
  /** Give the focus to the first line, or to the one that had it. */
  readonly enter: () => void;
}

interface Props {
  readonly ref: Ref<TreeHandle>;
  readonly lines: readonly ShelfLine[];
  readonly place: (type: NodeType) => void;
  /** Say more about a type; null where there is nothing to say. */
  readonly tell: (type: NodeType | null) => void;
  readonly leave: () => void;
  readonly search: () => void;
}

export function ShelfTree({ ref, lines, place, tell, leave, search }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const at = lines.some(({ key }) => key === chosen) ? chosen : (lines[0]?.key ?? null);
  const go = (key: string | null) => {
    setChosen(key);
    const line = box.current?.querySelector<HTMLElement>(`[data-line="${CSS.escape(key ?? "")}"]`);
    line?.focus();
    line?.scrollIntoView({ block: "nearest" });
  };
  useImperativeHandle(ref, () => ({ enter: () => go(at) }));
  const press = (line: ShelfLine) => (line.kind === "section" ? toggleSection(line.section) : place(line.type));

  const onKeyDown = (event: KeyboardEvent) => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const line = lines.find(({ key }) => key === at);
    const isInside = target.getAttribute("role") !== "treeitem";
    const step = shelfStep(lines, at, event.key);
    if (event.key === "Escape" && isInside) go(at);
    else if (event.key === "Escape") leave();
    else if (isInside) return;
    else if (event.key === "ArrowUp" && step === null) search();
    else if (step !== null && "to" in step) go(step.to);
    else if (step !== null) toggleSection(step.fold);
    else if ((event.key === "Enter" || event.key === " ") && line) press(line);
    // What is selected on the canvas is not what would be meant here.
    else if (!MEANT_HERE.has(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={box}
      className="shelf-tree"
      role="tree"
      aria-label={text.shelf.tree}
      onKeyDown={onKeyDown}
      onMouseLeave={() => tell(typeAt(lines, at))}
    >
      {lines.map((line) => {
        const shared = {
          role: "treeitem",
          "data-line": line.key,
          tabIndex: line.key === at ? 0 : -1,
          "aria-setsize": line.place.of,
          "aria-posinset": line.place.index + 1,
          onFocus: () => {
            setChosen(line.key);
            tell(line.kind === "type" ? line.type : null);
          },
        } as const;
        return line.kind === "section" ? (
          <SectionLine key={line.key} line={line} shared={shared} toggle={() => toggleSection(line.section)} />
        ) : (
          <TypeLine
            key={line.key}
            line={line}
            shared={{ ...shared, ...(line.key === at ? { "aria-describedby": ABOUT } : {}) }}
            isActive={line.key === at}
            place={() => place(line.type)}
            tell={() => tell(line.type)}
          />
        );
      })}
    </div>
  );
}

const MEANT_HERE: ReadonlySet<string> = new Set(["Delete", "Backspace", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

function typeAt(lines: readonly ShelfLine[], key: string | null): NodeType | null {
  const line = lines.find((one) => one.key === key);
  return line?.kind === "type" ? line.type : null;
}
