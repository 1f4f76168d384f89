// The options of an adaptive limit, for clients and servers.

import { integer, milliseconds, withDefault } from '@trunkline/transport-core/backend';
import { number } from '../option-fields.ts';

const MOST = 1_000_000;

export const adaptiveFields = {
  initial: withDefault(integer(1, MOST), 20),
  min: withDefault(integer(1, MOST), 20),
  max: withDefault(integer(1, MOST), 200),
  tolerance: withDefault(number(1, 100), 1.5),
  window: withDefault(milliseconds(), 1_000),
};
