// Tests the objects that the benchmark sends.

import test from 'ava';
import { orderOf } from './work.ts';

test('an order is 1 KiB of JSON', (t) => {
  for (const number of [0, 9, 1_499, 899_999])
    t.is(JSON.stringify(orderOf(number)).length, 1_024, `${number}`);
});
