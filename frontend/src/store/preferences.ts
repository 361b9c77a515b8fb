/** What somebody likes, remembered by the browser over reloads and for all windows. */

const PREFIX = "nodegraph.";

export function preference(name: string): string | null {
  return localStorage.getItem(PREFIX + name);
}

export function keepPreference(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // The storage is full: it holds until the page is closed.
  }
}
