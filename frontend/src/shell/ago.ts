/** How long ago something was, in words. */

const FORMAT = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function ago(seconds: number, now = Date.now() / 1_000): string {
  const passed = now - seconds;
  for (const [unit, length] of UNITS) {
    if (passed >= length) return FORMAT.format(-Math.floor(passed / length), unit);
  }
  return FORMAT.format(0, "second");
}
