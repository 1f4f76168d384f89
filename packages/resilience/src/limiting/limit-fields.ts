// The options of an adaptive limit, for clients and servers. ConcurrencyLimitOptions documents
// them.

import { option } from '@trunkline/transport-core/backend';
import { number } from '../option-fields.ts';

const MOST = 1_000_000;

export const adaptiveFields = {
  initial: option.withDefault(option.integer(1, MOST), 20),
  min: option.optional(option.integer(1, MOST)),
  max: option.withDefault(option.integer(1, MOST), 200),
  tolerance: option.withDefault(number(1, 100), 1.5),
  window: option.withDefault(option.milliseconds(), 1_000),
};
