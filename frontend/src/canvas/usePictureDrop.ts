/** A picture of the gallery is dropped: onto a node that loads one, or onto the canvas, where it gets such a node. */

import { useReactFlow } from "@xyflow/react";
import type { DragEvent } from "react";

import { takeAsInput } from "../store/actions";
import { PICTURE } from "../store/pictures";
import { activeDocument } from "../store/workspace";

export function usePictureDrop() {
  const { screenToFlowPosition } = useReactFlow();
  return {
    onDragOver: (event: DragEvent) => {
      if (event.dataTransfer.types.includes(PICTURE)) event.preventDefault();
    },
    onDrop: (event: DragEvent) => {
      const data = event.dataTransfer.getData(PICTURE);
      if (data === "") return;
      event.preventDefault();
      const picture = JSON.parse(data) as { url: string; title: string };
      const id = event.target instanceof Element ? event.target.closest<HTMLElement>(".node")?.dataset.node : undefined;
      const isLoader = id !== undefined && activeDocument()?.nodes[id]?.type === "image.load";
      const at = screenToFlowPosition({ x: event.clientX, y: event.clientY });
      void takeAsInput(picture, isLoader ? { node: id } : { at });
    },
  };
}
