/** Files may be dropped anywhere on the page. */

import { useState, type DragEvent, type ReactNode } from "react";

import { bringIn } from "../store/actions";
import { text } from "../text/en";

export function DropZone({ children }: { readonly children: ReactNode }) {
  const [isOver, setOver] = useState(false);
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return (
    <div
      className="app"
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(false);
        for (const file of event.dataTransfer.files) void bringIn(file);
      }}
    >
      {children}
      {isOver && <div className="drop-zone">{text.start.drop}</div>}
    </div>
  );
}
