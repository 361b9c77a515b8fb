/** What went wrong, told on the screen: no failure is silent. */

import { ApiError } from "../api/client";
import { text } from "../text/en";
import { tell } from "./ui";

/** Tell what went wrong, in the server's words. */
export function tellError(error: unknown, what: string = titleOf(error)): void {
  if (error instanceof ApiError) {
    const first = error.problems[0];
    tell("error", what, first ? [first.message, first.remedy].filter(Boolean).join(" ") : error.message);
  } else {
    tell("error", what, error instanceof Error ? error.message : String(error));
  }
}

function titleOf(error: unknown): string {
  return error instanceof ApiError ? text.notice.refused : text.notice.failedHere;
}
