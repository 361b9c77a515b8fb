/** The dots of the canvas, on a layer of their own: panning moves it, where a pattern would be painted anew in each frame. */

import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";

import { gapAt, within } from "../graph/dots";

export function Dots() {
  const element = useRef<HTMLDivElement>(null);
  const store = useStoreApi();
  useEffect(() => {
    let zoom = 0;
    const follow = () => {
      const { style } = element.current ?? {};
      if (style === undefined) return;
      const [x, y, now] = store.getState().transform;
      const gap = gapAt(now);
      if (now !== zoom) {
        zoom = now;
        style.setProperty("--gap", `${gap}px`);
        style.setProperty("--dot", `${Math.max(0.5, 0.7 * Math.min(zoom, 1.5))}px`);
      }
      style.transform = `translate(${within(x, gap)}px, ${within(y, gap)}px)`;
    };
    follow();
    return store.subscribe(follow);
  }, [store]);
  return <div ref={element} className="dots" aria-hidden />;
}
