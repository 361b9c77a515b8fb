/** Aligning what is selected: sizes are known here alone. */

import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";

import { aligning } from "../commands/aligning";
import { aligned, type Way } from "../graph/align";
import { moveNodes } from "../graph/edits";
import { tell } from "../store/ui";
import { useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import type { FlowEdge, FlowNode } from "./useScene";

export function useAligning(): void {
  const { getNodes } = useReactFlow<FlowNode, FlowEdge>();
  useEffect(() => {
    const onAlign = (event: Event) => {
      const way = (event as CustomEvent<Way>).detail;
      const chosen = new Set(useWorkspace.getState().selected);
      const boxes = getNodes()
        .filter(({ id }) => chosen.has(id))
        .map(({ id, position, measured, initialWidth, initialHeight }) => {
          const size = { width: measured?.width ?? initialWidth ?? 0, height: measured?.height ?? initialHeight ?? 0 };
          return [id, { ...position, ...size }] as const;
        });
      const places = aligned(Object.fromEntries(boxes), way);
      if (Object.keys(places).length === 0) tell("info", text.align.few);
      else useWorkspace.getState().edit((document) => moveNodes(document, places));
    };
    aligning.addEventListener("align", onAlign);
    return () => aligning.removeEventListener("align", onAlign);
  }, [getNodes]);
}
