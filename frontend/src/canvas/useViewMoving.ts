/** While the view moves: the canvas says so to the style sheet, which leaves out what need not be there then. */

import { useCallback, useRef, type RefObject } from "react";

const MOVING = "is-moving";

export function useViewMoving(canvas: RefObject<HTMLElement | null>) {
  const focused = useRef<HTMLElement | null>(null);
  const begin = useCallback(() => {
    const { activeElement } = document;
    // Only where the graph is one picture are its nodes left out.
    const isLeftOut = activeElement instanceof HTMLElement && activeElement.closest(".is-picture .react-flow__nodes") !== null;
    focused.current = isLeftOut ? activeElement : null;
    canvas.current?.classList.add(MOVING);
  }, [canvas]);
  const end = useCallback(() => {
    canvas.current?.classList.remove(MOVING);
    // What is left out loses the focus.
    if (document.activeElement === document.body) focused.current?.focus({ preventScroll: true });
    focused.current = null;
  }, [canvas]);
  return { begin, end };
}
