// Option fields that several parts of this package share.

import { type Clock, type Random, systemClock, systemRandom } from '@trunkline/transport-core';
import { type OptionField, option } from '@trunkline/transport-core/backend';

/** The field for a number from `least` to `most`, inclusive. */
export function number(least: number, most: number): OptionField<number, number> {
  return option.reference<number>(
    (value) => typeof value === 'number' && value >= least && value <= most,
    `a number from ${least} to ${most}`,
  );
}

/** The clock of the transport. Default: the system's. */
export const clockField: OptionField<Clock | undefined, Clock> = option.withDefault(
  option.reference<Clock>(
    (value) => typeof (value as Clock | undefined)?.now === 'function',
    'a Clock',
  ),
  systemClock,
);

/** The source of random numbers. Default: the system's. */
export const randomField: OptionField<Random | undefined, Random> = option.withDefault(
  option.callback<Random>(),
  systemRandom,
);
