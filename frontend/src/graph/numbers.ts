/** Numbers as people write them, and as an input takes them. */

export interface Range {
  readonly integer: boolean;
  readonly min: number | null;
  readonly max: number | null;
  readonly step: number;
}

/** A number as it was typed: a comma may be the decimal point. Null where it is none. */
export function parseNumber(text: string): number | null {
  const plain = text.trim().replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  const number = Number(plain);
  return Number.isFinite(number) ? number : null;
}

/** The nearest number that the input takes. */
export function clamped(number: number, { integer, min, max, step }: Range): number {
  const whole = integer ? Math.round(number) : Number(number.toPrecision(12));
  const onGrid = integer && step > 1 ? Math.round(whole / step) * step : whole;
  return Math.min(max ?? Infinity, Math.max(min ?? -Infinity, onGrid));
}

/** How many decimals are shown: those of the step, or more where the number has them. */
export function digitsOf(step: number, number: number): number {
  const own = String(number).split(".")[1]?.length ?? 0;
  const least = String(step).split(".")[1]?.length ?? 0;
  return Math.min(10, Math.max(own, least));
}

const LARGEST_SEED = 2n ** 64n - 1n;

/** A seed as it was typed, exact to its last digit. Null where it is none. */
export function parseSeed(text: string): number | bigint | null {
  if (!/^\d{1,20}$/.test(text.trim())) return null;
  const seed = BigInt(text.trim());
  if (seed > LARGEST_SEED) return null;
  return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
}

/** A seed from 64 random bits. */
export function randomSeed(bits: BigUint64Array): number | bigint {
  const seed = bits[0] ?? 0n;
  return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
}
