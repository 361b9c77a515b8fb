/** What the screen is like: how large, and how bright people like it. */

import { useSyncExternalStore } from "react";

/** Below this width a canvas shows too little to begin with, and one bar has no room for everything. */
const SMALL = "(max-width: 600px)";
const STILL = "(prefers-reduced-motion: reduce)";
const LIGHT = "(prefers-color-scheme: light)";

export function isSmall(): boolean {
  return matchMedia(SMALL).matches;
}

export function useIsSmall(): boolean {
  return useSyncExternalStore(watching(SMALL), isSmall);
}

/** Whether people who get sick of movement asked the system for less of it. */
export function isStill(): boolean {
  return matchMedia(STILL).matches;
}

/** Whether the system wants a light page. */
export function isLight(): boolean {
  return matchMedia(LIGHT).matches;
}

export function useIsLight(): boolean {
  return useSyncExternalStore(watching(LIGHT), isLight);
}

const watches = new Map<string, (changed: () => void) => () => void>();

/** The same function for the same query, or React would listen anew each time. */
function watching(wanted: string): (changed: () => void) => () => void {
  const made =
    watches.get(wanted) ??
    ((changed: () => void) => {
      const query = matchMedia(wanted);
      query.addEventListener("change", changed);
      return () => query.removeEventListener("change", changed);
    });
  watches.set(wanted, made);
  return made;
}
