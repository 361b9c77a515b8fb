/** An input in the list: its field, or where its link comes from. */

import { memo } from "react";

import { inputEntries, openLinking } from "../commands/menus";
import { lookOf } from "../canvas/looks";
import { typeTitle } from "../graph/links";
import { literalOf } from "../graph/document";
import { specOf, type Row } from "../graph/scene";
import { isWide } from "../graph/widgets";
import { MenuButton } from "../shell/MenuItems";
import { activeDocument } from "../store/workspace";
import { text } from "../text/en";
import { Field } from "../widgets/Field";
import { AddMember, MemberMenu } from "../widgets/GrowingRow";
import { useSource } from "./context";
import { Jump } from "./Jump";

interface Props {
  readonly node: string;
  readonly row: Row;
  readonly isBad: boolean;
}

export const InputLine = memo(function InputLine({ node, row, isBad }: Props) {
  const { port, label, input, linked, isNew } = row;
  const source = useSource(node, port);
  const { widget } = input;
  const wide = !linked && isWide(widget, row.value === undefined ? input.default : literalOf(row.value));
  const entries = () => {
    const document = activeDocument();
    return document ? inputEntries(document, node, row) : [];
  };
  return (
    <li className={`list-line ${isBad ? "is-bad" : ""} ${wide ? "is-wide" : ""}`} data-row={`in:${port}`}>
      <Label label={isNew ? `+ ${label}` : label} type={widget.kind === "none" ? typeTitle(input.type) : ""} colour={lookOf(input.type).colour} help={input.help} />
      <span className="list-value">
        {source && <Jump to={source} isSource />}
        {isNew && widget.kind !== "none" && <AddMember node={node} row={row} />}
        {!linked && !isNew && widget.kind !== "none" && <Field node={node} port={port} input={specOf(row)} value={row.value} />}
        {!linked && widget.kind === "none" && (
          <button
            type="button"
            className="list-link"
            onClick={() => openLinking({ node, side: "in", port, label, type: input.type, linked })}
          >
            {text.link.open} <span className="is-hidden">{label}</span> <span className="quiet">{wanting(row)}</span>
          </button>
        )}
      </span>
      {!isNew && <MemberMenu node={node} row={row} />}
      <MenuButton label={text.list.more(label)} entries={entries} />
    </li>
  );
});

function wanting({ input, isNew }: Row): string {
  if (isNew) return text.list.another;
  return input.required ? text.list.needed : text.list.free;
}

interface LabelProps {
  readonly label: string;
  readonly type: string;
  readonly colour: string;
  readonly help?: string;
}

export function Label({ label, type, colour, help }: LabelProps) {
  return (
    <span className="list-label" title={help || undefined}>
      <i className="add-dot" style={{ "--colour": colour }} />
      <span>
        {label}
        {type.toLowerCase() !== label && <small>{type}</small>}
      </span>
    </span>
  );
}
