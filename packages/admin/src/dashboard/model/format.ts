// Numbers, sizes and times for people.

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const bytes = new Intl.NumberFormat('en', {
  notation: 'compact',
  style: 'unit',
  unit: 'byte',
  unitDisplay: 'narrow',
  maximumFractionDigits: 1,
});

/** Returns a number: '1,234', '12.3M'. */
export function number(value: number): string {
  return value < 100_000 ? plain.format(value) : compact.format(value);
}

/** Returns a size: '512B', '1.2KB', '3.4MB' (powers of 1,000). */
export function size(value: number | undefined): string {
  return value === undefined ? '–' : bytes.format(value).replace('BB', 'GB');
}

/** Returns a duration in milliseconds: '0.35 ms', '12 ms', '3.4 s', '2 min 5 s'. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined || Number.isNaN(milliseconds)) return '–';
  if (milliseconds === Number.POSITIVE_INFINITY) return 'more';
  if (milliseconds < 1_000) return `${Number(milliseconds.toPrecision(2))} ms`;
  const seconds = milliseconds / 1_000;
  if (seconds < 60) return `${plain.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns a name that fits a cell: the beginning of a node id, or any other name unchanged. */
export function shortName(name: string): string {
  return name.replace(/\b([0-9a-f]{8})[0-9a-f]{24,56}\b/g, '$1…');
}
