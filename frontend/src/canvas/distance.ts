/** From how far the graph is seen. The canvas finds it once: a thousand nodes that each asked would cost more than to draw. */

import { useStore } from "@xyflow/react";
import { createContext, useContext, useMemo } from "react";

import { MANY } from "./useFirstLayout";

/** Below this zoom no text in a node can be read. */
const FAR = 0.3;

export interface Distance {
  readonly isFar: boolean;
  readonly isLarge: boolean;
  /** Whether the graph is drawn as one picture (`FarPicture`). */
  readonly isPicture: boolean;
}

export const DistanceContext = createContext<Distance>({ isFar: false, isLarge: false, isPicture: false });

export function useDistance(): Distance {
  return useContext(DistanceContext);
}

/** For the canvas. */
export function useFoundDistance(): Distance {
  const isFar = useStore(({ transform }) => transform[2] < FAR);
  const isLarge = useStore(({ nodeLookup }) => nodeLookup.size > MANY);
  return useMemo(() => ({ isFar, isLarge, isPicture: isFar && isLarge }), [isFar, isLarge]);
}
