/** The open workflow as a list: for those who read with their ears, and for small screens. */

import { ChevronsDownUp, ChevronsUpDown, Plus, Workflow } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { addAt } from "../canvas/adding";
import { AddMenu } from "../canvas/AddMenu";
import { free, freeSpot } from "../canvas/places";
import { useDrawn } from "../canvas/useScene";
import { arranging } from "../commands/list";
import { goToNode } from "../commands/find";
import { onPlacing } from "../commands/shelf";
import { annotationsOf } from "../graph/annotations";
import { chaptersIn } from "../graph/chapters";
import type { Document, Point } from "../graph/document";
import { findNodes } from "../graph/find";
import { Empty } from "../panels/Empty";
import { IconButton } from "../shell/IconButton";
import { useServer } from "../store/server";
import { ACTUAL_SIZE, useUi } from "../store/ui";
import { activeDocument, pathOf, shownOf, useWorkspace, type Tab } from "../store/workspace";
import { text } from "../text/en";
import { Annotated } from "./Annotated";
import { Chapter } from "./Chapter";
import { SceneContext } from "./context";
import { keyOf, setOpen } from "./opened";
import { useKeptFocus } from "./useKeptFocus";

const t = text.list;

export function ListView({ tab }: { readonly tab: Tab }) {
  const document = shownOf(tab);
  const scene = useDrawn(document);
  const catalogue = useServer((server) => server.catalogue);
  const [query, setQuery] = useState("");
  const box = useRef<HTMLElement>(null);
  const chapters = useMemo(() => chaptersIn(document, scene), [document, scene]);
  const order = useMemo(() => chapters.flatMap(({ nodes }) => nodes), [chapters]);
  const found = useMemo(
    () => (query.trim() === "" ? null : findNodes(document, catalogue, query).map(({ id }) => id)),
    [document, catalogue, query],
  );
  const kept = new Set(found);
  const shown = found === null ? chapters : chapters.map((one) => ({ ...one, nodes: one.nodes.filter((id) => kept.has(id)) }));
  const seen = shown.flatMap(({ nodes }) => nodes);
  const groups = annotationsOf(document, "groups");
  const place = [tab.id, ...pathOf(tab).map(({ definition }) => definition)].join("/");
  useAdding(box);
  useShelfPlaces(place);
  useWishes(place, () => setQuery(""));
  useKeptFocus(box, order);
  const keys = () => seen.map((id) => keyOf(place, id));
  return (
    <section ref={box} className="list-view" aria-label={t.label}>
      <div className="list-bar">
        <input
          type="search"
          className="field list-filter"
          aria-label={t.filter}
          placeholder={t.placeholder}
          value={query}
          onChange={({ target }) => setQuery(target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setQuery("");
            const first = found?.[0];
            if (event.key === "Enter" && first !== undefined) goToNode(first);
          }}
        />
        <span className="quiet list-count">{t.count(seen.length)}</span>
        <IconButton label={t.openAll} icon={ChevronsUpDown} onClick={() => setOpen(keys(), true)} />
        <IconButton label={t.closeAll} icon={ChevronsDownUp} onClick={() => setOpen(keys(), false)} />
        <button type="button" className="secondary list-add" onClick={() => arranging.dispatchEvent(new Event("add"))}>
          <Plus size={15} aria-hidden /> {t.add}
        </button>
      </div>
      {order.length === 0 && <Empty icon={Workflow} title={t.empty} lead={t.emptyLead} />}
      {order.length > 0 && seen.length === 0 && <p className="quiet list-none">{t.noneFound}</p>}
      <SceneContext value={scene}>
        {shown.map((one, index) => {
          const group = one.group === null ? undefined : groups.get(one.group);
          // The first of a chapter may change, and what is written in it goes on.
          const key = one.group === null ? `plain ${index}` : `group ${one.group}`;
          return one.nodes.length > 0 && <Chapter key={key} chapter={one} group={group} scene={scene} place={place} count={order.length} />;
        })}
        <Annotated chapters={chapters} />
      </SceneContext>
      <AddMenu />
    </section>
  );
}

/** New nodes get a place on the canvas too: beside the one that is selected. */
function placeOfNew(document: Document): Point {
  const [selected] = useWorkspace.getState().selected;
  return selected !== undefined ? freeSpot(selected) : free(document, { x: 120, y: 120 });
}

/** Nodes that the library asks for are opened and scrolled to; the focus stays in the library. */
function useShelfPlaces(place: string): void {
  useEffect(
    () =>
      onPlacing((type) => {
        const document = activeDocument();
        if (document === undefined) return;
        const made = addAt(type, placeOfNew(document));
        setOpen([keyOf(place, made)], true);
        window.setTimeout(() => sectionOf(made)?.scrollIntoView({ block: "nearest" }), 30);
      }),
    [place],
  );
}

function sectionOf(node: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`.list-node[data-node="${CSS.escape(node)}"]`);
}

function useAdding(box: React.RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onAdd = () => {
      const document = activeDocument();
      if (document === undefined) return;
      const { left, top, width } = box.current?.getBoundingClientRect() ?? new DOMRect();
      const screen = { x: left + width / 2 - 170, y: top + 60 };
      useUi.setState({ adding: { screen, at: placeOfNew(document) } });
    };
    arranging.addEventListener("add", onAdd);
    return () => arranging.removeEventListener("add", onAdd);
  }, [box]);
}

/** A node that is to be shown is opened, scrolled to and given the focus; at first the one that is selected. */
function useWishes(place: string, seeAll: () => void): void {
  const wish = useUi((ui) => ui.wish);
  const first = useRef(wish);
  const all = useRef(seeAll);
  useEffect(() => {
    const [selected] = useWorkspace.getState().selected;
    const isFirst = wish === first.current;
    const node = isFirst ? selected : wish?.node;
    if (node === undefined || node === null || node === ACTUAL_SIZE) return;
    if (!isFirst) all.current();
    setOpen([keyOf(place, node)], true);
    const timer = window.setTimeout(() => {
      const section = sectionOf(node);
      section?.scrollIntoView({ block: "start" });
      if (isFirst && document.activeElement !== document.body) return;
      section?.querySelector<HTMLElement>(".list-open")?.focus({ preventScroll: true });
    }, 30);
    return () => window.clearTimeout(timer);
  }, [wish, place]);
}
