/** The library of subgraphs on the server. */

import { useMemo } from "react";
import { create } from "zustand";

import { getPublished, getWorkflow, saveWorkflow } from "../api/calls";
import { ApiError } from "../api/client";
import { changeDefinition, usableIn } from "../graph/definitions";
import type { Catalogue, NodeType } from "../graph/catalogue";
import { readDocument, type Document, type Point } from "../graph/document";
import { addNode } from "../graph/edits";
import type { Json } from "../graph/json";
import { insert, originOf, packed, PREFIX, unpacked, update, type Published } from "../graph/library";
import { outside, ownTypes } from "../graph/nodetypes";
import { definitionOf } from "../graph/scope";
import { text } from "../text/en";
import { tellError } from "./errors";
import { useServer } from "./server";
import { tell } from "./ui";
import { activeTab, useOpenDefinition, useShownDocument, useWorkspace } from "./workspace";

interface Library {
  readonly published: readonly Published[];
}

export const useLibrary = create<Library>()(() => ({ published: [] }));

/** Learn what is in the library. */
export async function refreshLibrary(): Promise<void> {
  const items = await getPublished();
  const found = await Promise.all(
    items.map(async ({ name, revision }) => {
      const document = readDocument((await getWorkflow(name)).document as Json);
      return typeof document === "string" ? null : unpacked(name, revision, document);
    }),
  );
  useLibrary.setState({ published: found.filter((one) => one !== null) });
}

/** Put a subgraph of the workflow at hand into the library, under its title. */
export async function publish(name: string): Promise<void> {
  const tab = activeTab();
  if (tab === undefined) return;
  const whole = tab.history.present;
  const definition = definitionOf(whole, name);
  if (definition === undefined) return;
  const title = (definition.title ?? name).replaceAll(/[/\\]/g, "-");
  const document = packed(whole, name, title);
  if (document === null) return;
  try {
    const known = await existing(PREFIX + title);
    const origin = originOf(definition);
    if (known !== null && (origin?.name !== title || origin.revision !== known.newest)) {
      tell("error", text.subgraph.taken(title), text.subgraph.takenLead);
      return;
    }
    const item = await saveWorkflow(PREFIX + title, document, known?.tag ?? null);
    const library = { name: title, revision: item.revision };
    useWorkspace.getState().editAll((one) => changeDefinition(one, name, (old) => ({ ...old, library })), undefined, tab.id);
    await refreshLibrary();
    tell("info", text.subgraph.published(title, item.revision));
  } catch (error) {
    tellError(error);
  }
}

async function existing(name: string) {
  try {
    return await getWorkflow(name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** The newer revision of a subgraph that came from the library, if there is one. */
export function newerThan(name: string, published: readonly Published[]): Published | null {
  const whole = activeTab()?.history.present;
  const origin = whole ? originOf(definitionOf(whole, name)) : null;
  const kept = published.find((one) => one.name === origin?.name);
  return kept && origin && kept.revision > origin.revision ? kept : null;
}

export function takeNewer(name: string, published: Published): void {
  useWorkspace.getState().editAll((document) => update(document, name, published));
}

/** The subgraphs that can be added where one is: the document's own, and those of the library. */
export function useSubgraphTypes(): NodeType[] {
  const catalogue = useServer((server) => server.catalogue);
  const published = useLibrary((library) => library.published);
  const document = useShownDocument();
  const open = useOpenDefinition();
  return useMemo(
    () => (document ? [...ownTypes(document, catalogue, open), ...libraryTypes(published, catalogue, document, open)] : []),
    [catalogue, published, document, open],
  );
}

/** The library as types of nodes: adding one brings its definition along. */
function libraryTypes(published: readonly Published[], catalogue: Catalogue, here: Document, open: string | null): NodeType[] {
  return published.flatMap((one) => {
    const definition = definitionOf(one.document, one.main);
    // What is brought may be there already, or use what is.
    const brought = open === null ? null : insert(here, one);
    if (definition === undefined || (brought && !usableIn(brought.document, brought.name, open))) return [];
    return [{ ...outside(one.main, definition, one.document, catalogue), id: PREFIX + one.name, help: text.subgraph.library }];
  });
}

/** Add a node of a type, which may be one of the library. */
export function addType(document: Document, type: NodeType, at: Point): { document: Document; id: string } {
  const kept = useLibrary.getState().published.find(({ name }) => PREFIX + name === type.id);
  if (kept === undefined) return addNode(document, type, at);
  const brought = insert(document, kept);
  return addNode(brought.document, { ...type, id: `#${brought.name}` }, at);
}
