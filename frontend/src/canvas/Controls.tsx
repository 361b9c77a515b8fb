/** Zoom, fit and arrange, in the corner of the canvas. */

import { Panel, useReactFlow } from "@xyflow/react";
import { LayoutGrid, Maximize, ZoomIn, ZoomOut } from "lucide-react";

import { arranging } from "../commands/list";
import { text } from "../text/en";
import { IconButton } from "../shell/IconButton";
import { fitting } from "./views";

export function Controls() {
  const { zoomIn, zoomOut, fitView } = useReactFlow();
  return (
    <Panel position="bottom-left" className="controls">
      <IconButton label={text.canvas.zoomOut} icon={ZoomOut} onClick={() => void zoomOut()} />
      <IconButton label={text.canvas.zoomIn} icon={ZoomIn} onClick={() => void zoomIn()} />
      <IconButton
        label={text.canvas.fit}
        icon={Maximize}
        onClick={() => void fitView(fitting())}
      />
      <IconButton
        label={text.canvas.layout}
        icon={LayoutGrid}
        onClick={() => arranging.dispatchEvent(new Event("arrange"))}
      />
    </Panel>
  );
}
