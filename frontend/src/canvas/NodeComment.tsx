/** The comment on a node, below its head; and the field that it is written in. */

import { useLayoutEffect, useRef, type KeyboardEvent } from "react";

import { setComment } from "../graph/comments";
import { useUi } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { focusNode } from "./places";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly comment: string;
  /** Whether only the field is to be seen, and only while somebody writes in it. */
  readonly isHidden?: boolean;
}

export function NodeComment({ id, title, comment, isHidden = false }: Props) {
  const isWriting = useUi((ui) => ui.commenting === id);
  if (isWriting) return <CommentField id={id} title={title} comment={comment} />;
  if (isHidden || comment === "") return null;
  return (
    <p className="node-comment" title={comment} onDoubleClick={() => useUi.setState({ commenting: id })}>
      {comment}
    </p>
  );
}

function CommentField({ id, title, comment }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const latest = useRef(comment);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(comment.length, comment.length);
    // The node may leave the view while somebody writes: nothing of it is lost.
    return () => {
      if (latest.current !== comment) finish(latest.current);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when the writing begins and ends
  }, []);
  const finish = (written: string) => {
    // It is left only once: what ends the writing takes the focus away too.
    if (useUi.getState().commenting !== id) return;
    useUi.setState({ commenting: null });
    useWorkspace.getState().edit((document) => setComment(document, id, written));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const isDone = event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing;
    if (!isDone && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (isDone) finish(event.currentTarget.value);
    else useUi.setState({ commenting: null });
    focusNode(id);
  };
  return (
    <textarea
      ref={field}
      className="node-comment nodrag nowheel nokey"
      aria-label={text.comments.on(title)}
      placeholder={text.comments.placeholder}
      rows={3}
      defaultValue={comment}
      onChange={({ target }) => {
        latest.current = target.value;
      }}
      onBlur={(event) => finish(event.target.value)}
      onKeyDown={onKeyDown}
    />
  );
}
