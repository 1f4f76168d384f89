// Tests that a thousand connections, opened and closed one after the other, leave nothing behind.

import test from 'ava';
import { openAndClose } from './testing/cycles.ts';

test('a thousand connections that open and close one after the other leave nothing behind', (t) =>
  openAndClose(t, { warmUp: 200, cycles: 1_000 }));
