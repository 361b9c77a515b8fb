/** The library of nodes at the left side: searched, looked through, and dragged from. */

import { X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { focusNode } from "../canvas/places";
import { placeFromShelf } from "../commands/shelf";
import type { NodeType } from "../graph/catalogue";
import { shelfLines } from "../graph/shelf";
import { IconButton } from "../shell/IconButton";
import { useSubgraphTypes } from "../store/library";
import { isSmall, useIsSmall } from "../store/screen";
import { useServer } from "../store/server";
import { setShelf, useShelf } from "../store/shelf";
import { useUi } from "../store/ui";
import { useActiveTab, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { ShelfAbout } from "./ShelfAbout";
import { ShelfTree, type TreeHandle } from "./ShelfTree";

const t = text.shelf;

export function Shelf() {
  const isOpen = useShelf((shelf) => shelf.isOpen);
  const hasTab = useActiveTab() !== undefined;
  const hasNodes = useUi(({ view }) => view !== "form");
  const isCovered = useUi(({ panel }) => panel !== null);
  const small = useIsSmall();
  // There is room for one sheet: the one that was opened last.
  useEffect(() => {
    if (small && isCovered) setShelf(false);
  }, [small, isCovered]);
  return isOpen && hasTab && hasNodes ? <OpenShelf /> : null;
}

function OpenShelf() {
  const [query, setQuery] = useState("");
  const [told, setTold] = useState<NodeType | null>(null);
  const [added, setAdded] = useState("");
  const tree = useRef<TreeHandle>(null);
  const field = useRef<HTMLInputElement>(null);
  const catalogue = useServer((server) => server.catalogue);
  const subgraphs = useSubgraphTypes();
  const { liked, recent, open } = useShelf();
  const types = useMemo(() => [...catalogue.values(), ...subgraphs], [catalogue, subgraphs]);
  const lines = useMemo(() => shelfLines(types, { query, liked, recent, open }), [types, query, liked, recent, open]);
  const place = (type: NodeType) => {
    placeFromShelf(type);
    setAdded(t.added(type.title));
    // There the sheet lies over what was added.
    if (isSmall()) setShelf(false);
  };
  const leave = () => {
    const [selected] = useWorkspace.getState().selected;
    if (selected !== undefined) focusNode(selected);
    else field.current?.blur();
  };
  const first = lines.find((line) => line.kind === "type");
  return (
    <aside className="shelf" aria-label={t.open}>
      <header>
        <h2>{t.title}</h2>
        <IconButton label={t.close} icon={X} onClick={() => setShelf(false)} />
      </header>
      <input
        ref={field}
        type="search"
        className="field shelf-search"
        aria-label={t.search}
        placeholder={t.placeholder}
        value={query}
        onChange={({ target }) => setQuery(target.value)}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") tree.current?.enter();
          else if (event.key === "Enter" && query.trim() !== "" && first?.kind === "type") place(first.type);
          else if (event.key === "Escape" && query !== "") setQuery("");
          else if (event.key === "Escape") leave();
          else return;
          event.preventDefault();
        }}
      />
      {lines.length === 0 ? (
        <p className="shelf-none quiet" role="status">
          {t.none}
        </p>
      ) : (
        <ShelfTree ref={tree} lines={lines} place={place} tell={setTold} leave={leave} search={() => field.current?.focus()} />
      )}
      <ShelfAbout type={told} />
      <p className="is-hidden" role="status">
        {added}
      </p>
    </aside>
  );
}
