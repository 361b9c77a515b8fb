/** Where menus are drawn: in the page's main part, not at the end of the body, where no landmark holds them. */
export function menuHome(): HTMLElement | undefined {
  return document.querySelector("main") ?? undefined;
}
