/** Colours as people write them: #rgb, #rrggbb, and with opacity #rrggbbaa. */

export interface Colour {
  /** `#rrggbb`, in lower case. */
  readonly rgb: string;
  /** From 0 to 255. */
  readonly alpha: number;
}

/** The colour that a text means, or null. */
export function parseColour(text: string): Colour | null {
  const [, digits] = /^#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(text.trim()) ?? [];
  if (digits === undefined) return null;
  const full = digits.length < 6 ? digits.replace(/./g, "$&$&") : digits;
  return { rgb: `#${full.slice(0, 6).toLowerCase()}`, alpha: full.length === 8 ? Number.parseInt(full.slice(6), 16) : 255 };
}

/** The text of a colour; its opacity only where the input takes one. */
export function colourText({ rgb, alpha }: Colour, hasAlpha: boolean): string {
  return hasAlpha ? rgb + Math.round(alpha).toString(16).padStart(2, "0") : rgb;
}
