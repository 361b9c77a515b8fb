/** A node's title while it is written. */

import { useEffect, useRef } from "react";

import { setTitle } from "../graph/edits";
import { useUi } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { focusNode } from "./places";

interface Props {
  readonly id: string;
  readonly title: string;
}

export function TitleField({ id, title }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const end = () => useUi.setState({ renaming: null });
  const finish = (written: string) => {
    // It is left only once: what ends the writing takes the focus away too.
    if (useUi.getState().renaming !== id) return;
    end();
    if (written.trim() !== title) useWorkspace.getState().edit((document) => setTitle(document, id, written.trim()));
  };
  return (
    <input
      ref={field}
      className="node-title nodrag"
      aria-label={text.node.title}
      defaultValue={title}
      onBlur={(event) => finish(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== "Escape") return;
        event.preventDefault();
        if (event.key === "Enter") finish(event.currentTarget.value);
        else end();
        focusNode(id);
      }}
    />
  );
}
