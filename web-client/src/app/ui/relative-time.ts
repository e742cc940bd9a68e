// "5 minutes ago", counted from the server's clock where it is known: the device's may be an hour off.

const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `time` is RFC 3339; `asOf` milliseconds since 1970. What lies ahead by a difference of clocks is "just now". */
export function relativeTime(time: string, asOf: number): string {
  const secondsAgo = (asOf - Date.parse(time)) / 1_000;
  const unit = units.find(([, seconds]) => secondsAgo >= seconds);
  if (!unit) return 'just now';
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(
    -Math.floor(secondsAgo / unit[1]),
    unit[0],
  );
}

/** A point in time for reading, in the device's time zone and as the browser's language writes it. */
export function plainTime(time: string): string {
  return write(time, { dateStyle: 'medium', timeStyle: 'short' });
}

export function plainDate(time: string): string {
  return write(time, { dateStyle: 'long' });
}

function write(time: string, style: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(navigator.language, style).format(new Date(time));
}
