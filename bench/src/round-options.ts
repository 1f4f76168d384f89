// The options of benchmarks that measure for a time, in several rounds.

import { positive } from './arguments.ts';
import type { Times } from './echo-task.ts';

export interface RoundOptions extends Times {
  readonly rounds: number;
  readonly json: boolean;
  /** Runs one short round that judges nothing. */
  readonly smoke: boolean;
  readonly help: boolean;
}

/** The flags of these options, for `parseArgs`. */
export const ROUND_FLAGS = {
  help: { type: 'boolean' },
  rounds: { type: 'string' },
  window: { type: 'string' },
  json: { type: 'boolean' },
  smoke: { type: 'boolean' },
} as const;

/**
 * Reads the values of these flags. A warm-up lasts as long as a measurement.
 *
 * @param usual are the defaults; `window` is in milliseconds.
 * @throws TypeError naming the option that is wrong.
 */
export function roundOptions(
  values: {
    readonly help?: boolean | undefined;
    readonly rounds?: string | undefined;
    readonly window?: string | undefined;
    readonly json?: boolean | undefined;
    readonly smoke?: boolean | undefined;
  },
  usual: { readonly rounds: number; readonly window: number },
): RoundOptions {
  const smoke = values.smoke === true;
  const window = positive('window', values.window, smoke ? 100 : usual.window);
  return {
    rounds: positive('rounds', values.rounds, smoke ? 1 : usual.rounds),
    window,
    warmUp: window,
    json: values.json === true,
    smoke,
    help: values.help === true,
  };
}
