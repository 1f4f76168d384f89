// Values as people read them.

/** Formats virtual milliseconds to the microsecond: '28667.775 ms'. */
export function formatTime(milliseconds: number): string {
  return `${Math.round(milliseconds * 1_000) / 1_000} ms`;
}

/** Formats a size in bytes. */
export function formatSize(bytes: number): string {
  return bytes < 10_000 ? `${bytes} B` : `${Math.round(bytes / 1_000)} kB`;
}

/** Returns about `count` round times between two times, for an axis. */
export function ticks(from: number, to: number, count: number): number[] {
  const span = to - from;
  if (!(span > 0)) return [];
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw)!;
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
