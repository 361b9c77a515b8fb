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

const DAY = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });

/** The day of a moment in words: today, yesterday, or its date. */
export function dayOf(seconds: number, now = Date.now()): string {
  const date = new Date(seconds * 1_000);
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const days = Math.round((midnight - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  const words = days <= 1 ? new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-days, "day") : DAY.format(date);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
