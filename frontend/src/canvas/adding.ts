/** A node is added, and taken into links that wait for it: one step to undo. */

import type { NodeType } from "../graph/catalogue";
import type { Document, Link, Point } from "../graph/document";
import { firstPort, inserted } from "../graph/insertion";
import { fittingInput, fittingOutput } from "../graph/links";
import { addType } from "../store/library";
import { knowledge, useServer } from "../store/server";
import { noteUse } from "../store/shelf";
import { useUi, type Adding } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { focusNode } from "./places";
import { link } from "./useLinking";

/** Add the node and take up the link that waited for it. */
export function add(type: NodeType, { at, wanted, link: port }: Adding): void {
  const { classes } = useServer.getState().vocabulary;
  const made = addWith(type, at, (document, id) => {
    if (wanted === undefined || port === undefined) return document;
    if (wanted.end === "output") {
      const input = fittingInput(type, wanted.type, classes);
      return input ? link(document, port, { node: id, port: firstPort(input) }) : document;
    }
    const output = fittingOutput(type, wanted.type, classes);
    return output ? link(document, { node: id, port: output }, port) : document;
  });
  useUi.setState({ adding: null });
  focusNode(made);
}

/** Add a node at a place, and into a link if it fits there; its id. */
export function addAt(type: NodeType, at: Point, into: Link | null = null): string {
  return addWith(type, at, (document, id) => (into && inserted(document, id, into, knowledge())) ?? document);
}

/** Whether a node of a type could be put into a link. */
export function fitsInto(document: Document, type: NodeType, into: Link): boolean {
  const added = addType(document, type, { x: 0, y: 0 });
  return inserted(added.document, added.id, into, knowledge()) !== null;
}

function addWith(type: NodeType, at: Point, then: (document: Document, id: string) => Document): string {
  const { edit, select } = useWorkspace.getState();
  let made = "";
  edit((document) => {
    const added = addType(document, type, at);
    made = added.id;
    return then(added.document, made);
  });
  noteUse(type);
  select([made]);
  return made;
}
