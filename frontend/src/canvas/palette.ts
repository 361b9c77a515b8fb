/** The theme's colours as a canvas element understands them: it knows no variables. */

export type Colours = (name: string) => string;

export function palette(element: Element): Colours {
  const style = getComputedStyle(element);
  const known = new Map<string, string>();
  return (name) => {
    const variable = /^var\((.*)\)$/.exec(name)?.[1] ?? name;
    if (!variable.startsWith("--")) return variable;
    const found = known.get(variable) ?? style.getPropertyValue(variable).trim();
    known.set(variable, found);
    return found;
  };
}

/** Call back whenever the theme changes. Returns what ends it. */
export function onTheme(changed: () => void): () => void {
  const watch = new MutationObserver(changed);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => watch.disconnect();
}
