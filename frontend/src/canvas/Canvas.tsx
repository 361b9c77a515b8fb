/** The canvas of one workflow. */

import {
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  useReactFlow,
  type Viewport,
} from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";

import { arrange } from "../commands/selection";
import { arranging } from "../commands/list";
import { commandFor } from "../commands/shortcuts";
import { addAnnotation, around } from "../graph/annotations";
import { DOTS } from "../graph/dots";
import { isBoundary } from "../graph/scope";
import { ACTUAL_SIZE, tell, useUi } from "../store/ui";
import { activeDocument, pathOf, useWorkspace, type Tab } from "../store/workspace";
import { lookAt } from "../store/look";
import { text } from "../text/en";
import { AddMenu } from "./AddMenu";
import { Annotations } from "./Annotations";
import { BoundaryCard } from "./BoundaryCard";
import { ConnectionHint } from "./ConnectionHint";
import { DistanceContext, useFoundDistance } from "./distance";
import { Dots } from "./Dots";
import { DropHint } from "./DropHint";
import { Controls } from "./Controls";
import { NodeCard } from "./NodeCard";
import { Overview } from "./Overview";
import { free, freeSpot } from "./places";
import { PointMenu } from "./PointMenu";
import { TapHint } from "./TapHint";
import { isTouch, useGestures } from "./touch";
import { FarPicture } from "./FarPicture";
import { MANY, useFirstLayout } from "./useFirstLayout";
import { fitting, SMALLEST, viewOf } from "./views";
import { useAligning } from "./useAligning";
import { useCanvasMenu } from "./useCanvasMenu";
import { useFrameSelection } from "./useFrameSelection";
import { endsOf, useLinking } from "./useLinking";
import { onTap } from "./useTapping";
import { usePictureDrop } from "./usePictureDrop";
import { useViewMoving } from "./useViewMoving";
import { useWays } from "./useWays";
import { WayEdge } from "./WayEdge";
import { useShelfDrop, type DropHint as Hint } from "./useShelfDrop";
import { useShelfPlaces } from "./useShelfPlaces";
import { useScene, type FlowEdge, type FlowNode } from "./useScene";

const NODE_TYPES = { card: NodeCard, boundary: BoundaryCard };
const EDGE_TYPES = { way: WayEdge };
const NO_EDGES: FlowEdge[] = [];
/** Where each tab was looked at; a tab that is left keeps its place. */
const viewports = new Map<string, Viewport>();

export function Canvas({ tab }: { readonly tab: Tab }) {
  return (
    <ReactFlowProvider key={placeOf(tab)}>
      <Flow tab={tab} />
    </ReactFlowProvider>
  );
}

/** A tab, and where in its document it is looked at. */
function placeOf(tab: Tab): string {
  return [tab.id, ...pathOf(tab).map(({ definition, node }) => `${definition}@${node ?? ""}`)].join("/");
}

function Flow({ tab }: { readonly tab: Tab }) {
  const { scene, nodes, edges, onNodesChange, onEdgesChange, commitMoves } = useScene(tab);
  const linking = useLinking();
  const { screenToFlowPosition, fitView, zoomTo, getNodes } = useReactFlow<FlowNode, FlowEdge>();
  const box = useRef<HTMLDivElement>(null);
  const wish = useUi((ui) => ui.wish);
  const isEmpty = nodes.every(({ id }) => isBoundary(id));
  const pictureDrop = usePictureDrop();
  const { hint, ...shelfDrop } = useShelfDrop(scene);
  const frameSelection = useFrameSelection(commitMoves);
  const { edit } = useWorkspace.getState();
  const { menu, openAt, closeMenu, onContextMenu } = useCanvasMenu(scene);
  useFirstLayout(tab, scene);
  useAligning();
  const addWay = useWays(scene);
  useShelfPlaces(box);
  const snap = useUi((ui) => ui.snap);
  const distance = useFoundDistance();
  const { isFar, isPicture } = distance;
  const moving = useViewMoving(box);

  const openMenu = useCallback(
    (screen: { x: number; y: number }) => useUi.setState({ adding: { screen, at: screenToFlowPosition(screen) } }),
    [screenToFlowPosition],
  );

  const gestures = useGestures({
    onHold: (target, at) => openAt(target, at),
    onDoubleTap: (target, at) => {
      if (isPane(target)) openMenu(at);
    },
    onTap,
  });

  useEffect(() => {
    if (wish === null || Date.now() - wish.at > 1_000) return;
    if (wish.node === ACTUAL_SIZE) {
      void zoomTo(1);
      return;
    }
    void fitView(fitting(wish.node === null ? undefined : [{ id: wish.node }]));
  }, [wish, fitView, zoomTo]);

  useEffect(() => {
    const onArrange = () => {
      const sizes = new Map(
        getNodes().map(({ id, measured }) => [id, { width: measured?.width ?? 272, height: measured?.height ?? 200 }]),
      );
      arrange(scene, sizes);
      window.setTimeout(() => void fitView(fitting()), 50);
    };
    const onAdd = () => {
      const { left, top, width, height } = box.current?.getBoundingClientRect() ?? new DOMRect();
      const screen = { x: left + width / 2 - 170, y: top + height / 3 };
      const [selected] = useWorkspace.getState().selected;
      const document = activeDocument();
      if (document === undefined) return;
      const at = selected !== undefined ? freeSpot(selected) : free(document, screenToFlowPosition(screen));
      useUi.setState({ adding: { screen, at } });
    };
    const onFrame = () => {
      const { selected: ids } = useWorkspace.getState();
      const chosen = getNodes().filter(({ id }) => ids.includes(id));
      if (chosen.length === 0) {
        tell("info", text.annotation.select);
        return;
      }
      const boxes = chosen.map(({ position, measured }) => ({ ...position, width: measured?.width ?? 272, height: measured?.height ?? 160 }));
      edit((one) => addAnnotation(one, "groups", around(boxes, text.annotation.untitled)).document);
    };
    const onNote = () => {
      const { left, top } = box.current?.getBoundingClientRect() ?? new DOMRect();
      const at = screenToFlowPosition({ x: left + 60, y: top + 60 });
      const note = { text: "", x: Math.round(at.x), y: Math.round(at.y), width: 260, height: 140, colour: "yellow" } as const;
      edit((one) => addAnnotation(one, "notes", note).document);
    };
    arranging.addEventListener("frame", onFrame);
    arranging.addEventListener("note", onNote);
    arranging.addEventListener("arrange", onArrange);
    arranging.addEventListener("add", onAdd);
    return () => {
      arranging.removeEventListener("frame", onFrame);
      arranging.removeEventListener("note", onNote);
      arranging.removeEventListener("arrange", onArrange);
      arranging.removeEventListener("add", onAdd);
    };
  }, [scene, getNodes, fitView, screenToFlowPosition, edit]);

  return (
    <div
      ref={box}
      className={["canvas", isFar && "is-far", isPicture && "is-picture"].filter(Boolean).join(" ")}
      role="region"
      aria-label={text.canvas.label}
      aria-busy={tab.fresh}
      onKeyDownCapture={(event) => {
        // React Flow would move the node that has the focus, or take it out of the selection.
        const hasModifier = event.altKey || event.ctrlKey || event.metaKey;
        const command = hasModifier && event.currentTarget.contains(event.target as Node) ? commandFor(event.nativeEvent) : undefined;
        if (command === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        command.run();
      }}
      onKeyUp={(event) => {
        if (event.key.startsWith("Arrow")) commitMoves(getNodes().filter(({ selected }) => selected), "nudge");
      }}
      onDragOver={(event) => {
        pictureDrop.onDragOver(event);
        shelfDrop.onDragOver(event);
      }}
      onDragLeave={shelfDrop.onDragLeave}
      onDrop={(event) => {
        pictureDrop.onDrop(event);
        shelfDrop.onDrop(event);
      }}
      onContextMenu={onContextMenu}
      {...gestures}
      onDoubleClick={(event) => {
        if (isPane(event.target) && !isTouch()) openMenu({ x: event.clientX, y: event.clientY });
      }}
    >
      <DistanceContext value={distance}>
        <ReactFlow<FlowNode, FlowEdge>
          nodes={nodes}
          edges={isPicture ? NO_EDGES : hinted(edges, hint)}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          onNodesChange={onNodesChange}
          {...frameSelection}
          onEdgesChange={onEdgesChange}
          onEdgeClick={(event, edge) => {
            if (event.altKey) void lookAt(endsOf(edge).from, { x: event.clientX, y: event.clientY });
          }}
          onEdgeDoubleClick={(event, { id }) => addWay(id, { x: event.clientX, y: event.clientY })}
          connectOnClick={false}
          snapToGrid={snap}
          snapGrid={[DOTS, DOTS]}
          connectionDragThreshold={6}
          {...linking}
          connectionRadius={26}
          defaultViewport={viewports.get(placeOf(tab)) ?? (scene.nodes.size > MANY ? viewOf([...scene.nodes.values()]) : { x: 60, y: 40, zoom: 1 })}
          onMoveStart={moving.begin}
          onMoveEnd={(_, viewport) => {
            viewports.set(placeOf(tab), viewport);
            moving.end();
          }}
          minZoom={SMALLEST}
          maxZoom={2.5}
          deleteKeyCode={null}
          disableKeyboardA11y={false}
          selectionMode={SelectionMode.Partial}
          multiSelectionKeyCode={["Shift", "Meta", "Control"]}
          zoomOnDoubleClick={false}
          onlyRenderVisibleElements={nodes.length > MANY}
          proOptions={{ hideAttribution: true }}
        >
          <Dots />
          <Overview nodes={nodes} />
          {isPicture && <FarPicture scene={scene} nodes={nodes} />}
          <Annotations />
          <Controls />
          <ConnectionHint />
          <TapHint />
        </ReactFlow>
      </DistanceContext>
      {isEmpty && <p className="canvas-hint">{matchMedia("(pointer: coarse)").matches ? text.canvas.tapHint : text.canvas.hint}</p>}
      <AddMenu />
      <DropHint hint={hint} scene={scene} />
      {menu && <PointMenu key={`${menu.at.x} ${menu.at.y}`} menu={menu} close={closeMenu} />}
    </div>
  );
}

/** Links as they are, but for the one that a node would be put into. */
function hinted(edges: FlowEdge[], hint: Hint | null): FlowEdge[] {
  return hint?.fits ? edges.map((edge) => (edge.id === hint.edge ? { ...edge, className: "is-target" } : edge)) : edges;
}

function isPane(target: EventTarget): boolean {
  return target instanceof Element && target.classList.contains("react-flow__pane");
}
