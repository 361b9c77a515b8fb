/** For how long a pointer has been held down: what is edited meanwhile is one gesture. */

let since: number | null = null;

/** When the pointer that is down was pressed (as `Date.now()`); null while none is. */
export function heldSince(): number | null {
  return since;
}

export function watchPointer(): void {
  // Anew with every press: a release outside the window may never be told.
  const press = ({ isPrimary }: PointerEvent) => {
    if (isPrimary) since = Date.now();
  };
  // A drag commits at the end of the same event, by a listener that comes later.
  const release = () => window.setTimeout(() => (since = null));
  window.addEventListener("pointerdown", press, true);
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, release, true);
  window.addEventListener("blur", release); // of the window alone: that of a field does not come up to it
}
