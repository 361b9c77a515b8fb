/** The inputs or the outputs of a subgraph in the list: named, ordered, linked and taken away here. */

import { Declared } from "../canvas/BoundaryCard";
import { ENTRANCE, isBoundaryEntry, NEW } from "../graph/scope";
import type { SceneNode } from "../graph/scene";
import { text } from "../text/en";
import { InputLine } from "./InputLine";
import { OutputLine } from "./OutputLine";

export function BoundaryLines({ node: { id, entry, type, rows } }: { readonly node: SceneNode }) {
  const isEntrance = id === ENTRANCE;
  const names = isBoundaryEntry(entry) ? Object.keys(entry.declared) : [];
  return (
    <>
      <ul className="list-declared" aria-label={isEntrance ? text.subgraph.inputs : text.subgraph.outputs}>
        {names.map((name, index) => (
          <li key={name} className="row">
            <Declared name={name} isFirst={index === 0} isEntrance={isEntrance} />
          </li>
        ))}
      </ul>
      <ul>
        {isEntrance
          ? Object.entries(type.outputs).map(([port, socket]) => (
              <OutputLine key={port} node={id} port={port} type={socket} label={port === NEW ? text.subgraph.newInput : undefined} />
            ))
          : rows.map((row) => (
              <InputLine key={row.port} node={id} row={row.port === NEW ? { ...row, label: text.subgraph.newOutput } : row} isBad={false} />
            ))}
      </ul>
    </>
  );
}
