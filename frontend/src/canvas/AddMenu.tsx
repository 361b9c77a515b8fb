/** The search for a node to add: at a double click, or at the end of a link that was dropped. */

import { Command } from "cmdk";
import { useEffect, useMemo, useRef, useState } from "react";

import { typeTitle } from "../graph/links";
import { findTypes, fittingTypes } from "../graph/search";
import { useSubgraphTypes } from "../store/library";
import { useServer } from "../store/server";
import { useUi, type Adding } from "../store/ui";
import { text } from "../text/en";
import { add } from "./adding";
import { categoryColour } from "./looks";

const SHOWN = 60;
const WIDTH = 340;
const HEIGHT = 430;

export function AddMenu() {
  const adding = useUi((ui) => ui.adding);
  return adding ? <OpenMenu key={`${adding.screen.x} ${adding.screen.y}`} adding={adding} /> : null;
}

function OpenMenu({ adding }: { readonly adding: Adding }) {
  const [query, setQuery] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const catalogue = useServer((server) => server.catalogue);
  const classes = useServer((server) => server.vocabulary.classes);
  const subgraphs = useSubgraphTypes();
  const types = useMemo(() => {
    const all = [...catalogue.values(), ...subgraphs];
    return adding.wanted ? fittingTypes(all, adding.wanted, classes) : all;
  }, [catalogue, classes, subgraphs, adding]);
  const found = useMemo(() => findTypes(types, query, adding.wanted === undefined).slice(0, SHOWN), [types, query, adding]);
  const close = () => useUi.setState({ adding: null });

  useEffect(() => {
    const outsideClick = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    // The click that opened the menu is still on its way.
    const timer = window.setTimeout(() => document.addEventListener("pointerdown", outsideClick, true));
    return () => {
      window.clearTimeout(timer);
      document.removeEventListener("pointerdown", outsideClick, true);
    };
  }, []);

  const left = Math.max(8, Math.min(adding.screen.x, window.innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(adding.screen.y, window.innerHeight - HEIGHT - 8));
  return (
    <div ref={box} className="add-menu" style={{ left, top }} role="dialog" aria-label={text.add.title}>
      <Command
        shouldFilter={false}
        loop
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
        }}
      >
        <Command.Input autoFocus value={query} onValueChange={setQuery} placeholder={text.add.placeholder} />
        {adding.wanted && <p className="add-fitting">{text.add.fitting(typeTitle(adding.wanted.type))}</p>}
        <Command.List>
          <Command.Empty>{text.add.nothing}</Command.Empty>
          {found.map((type) => (
            <Command.Item key={type.id} value={type.id} onSelect={() => add(type, adding)}>
              <span className="add-dot" style={{ "--colour": categoryColour(type.category) }} />
              <span className="add-title">{type.title}</span>
              <span className="add-id">{type.id}</span>
              {type.help && <span className="add-help">{type.help.split("\n")[0]}</span>}
            </Command.Item>
          ))}
        </Command.List>
        <p className="add-keys">{text.add.keys}</p>
      </Command>
    </div>
  );
}
