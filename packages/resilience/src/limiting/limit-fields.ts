// The options of an adaptive limit, for clients and servers.

import { integer, milliseconds, withDefault } from '@trunkline/transport-core/backend';
import { number } from '../option-fields.ts';

/** Options of an adaptive limit; the defaults are those of Netflix's Gradient2Limit. */
export interface AdaptiveLimitOptions {
  /** The limit at the start. Default 20. */
  readonly initial?: number | undefined;
  /** The lowest limit. Default 20. */
  readonly min?: number | undefined;
  /** The highest limit. Default 200. */
  readonly max?: number | undefined;
  /**
   * The limit shrinks if calls take longer than this multiple of their usual latency. Default 1.5.
   */
  readonly tolerance?: number | undefined;
  /** The duration, in milliseconds, over which latencies are averaged. Default 1,000. */
  readonly window?: number | undefined;
}

const MOST = 1_000_000;

export const adaptiveFields = {
  initial: withDefault(integer(1, MOST), 20),
  min: withDefault(integer(1, MOST), 20),
  max: withDefault(integer(1, MOST), 200),
  tolerance: withDefault(number(1, 100), 1.5),
  window: withDefault(milliseconds(), 1_000),
};
