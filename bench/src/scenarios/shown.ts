// The figures that tables show.

import type { Shown } from './scenario.ts';

export const RATE: Shown = { figure: 'rate', unit: 'calls/s' };
export const TIMES: readonly Shown[] = [
  { figure: 'p50', unit: 'p50 µs' },
  { figure: 'p99', unit: 'p99 µs' },
];
/** CPU figures, which show costs that waiting hides. */
export const CPU: readonly Shown[] = [
  { figure: 'clientCpu', unit: 'client ns' },
  { figure: 'serverCpu', unit: 'server ns' },
];
/** A figure of the large messages. */
export const bulk = (unit: string): Shown => ({ figure: 'bulk', unit });
/** The time that codecs take, for columns whose codec is measured separately. */
export const CODEC: Shown = { figure: 'codec', unit: 'codec ns' };
