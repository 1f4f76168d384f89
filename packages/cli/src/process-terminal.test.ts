// Tests of the terminal of a process.

import test from 'ava';
import { sizeOf } from './process-terminal.ts';

test('a terminal whose size is not known counts as 80 × 24', (t) => {
  t.deepEqual(sizeOf({ columns: 120, rows: 50 }), { columns: 120, rows: 50 });
  t.deepEqual(sizeOf({ columns: 0, rows: 0 }), { columns: 80, rows: 24 });
  t.deepEqual(sizeOf({}), { columns: 80, rows: 24 });
});
