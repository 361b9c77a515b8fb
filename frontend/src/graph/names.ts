/** Names that nobody has yet. */

/** A name, numbered from 2 on where it is taken: `text`, `text_2`, `text_3`. */
export function freshName(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let number = 2; isTaken(name); number += 1) name = `${wanted}_${number}`;
  return name;
}

/** A text as a name of letters, digits and `_`; one that begins with a digit gets a `_` before it. */
export function plainName(text: string, otherwise: string): string {
  return text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_") || otherwise;
}
