// Tests of the credit that one end of a connection grants to the other.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { CreditPool } from './credit-pool.ts';
import { OVERHEAD } from './message.ts';
import { ReceiveWindow } from './receive-window.ts';

const KIB = 1024;

test('the window doubles for a fast reader, and shrinks to its minimum for a slow one', (t) => {
  const clock = createManualClock();
  const window = new ReceiveWindow(new CreditPool(64 * KIB * KIB), 256 * KIB, clock);
  /** Reads messages until the window grants credit. Returns the change of its size. */
  const read = () => {
    for (let taken = KIB; ; taken += KIB) {
      const granted = window.consume(KIB - OVERHEAD);
      t.true(granted >= 0, 'credit that was granted is not taken back');
      if (granted > 0) return granted - taken;
    }
  };
  clock.advance(24);
  t.is(read(), 256 * KIB);
  clock.advance(100);
  t.is(read(), 0, 'the pace is neither fast nor slow');
  let size = 512 * KIB;
  for (let round = 0; round < 20; round++) {
    clock.advance(2_000);
    size += read();
  }
  t.is(size, 32 * KIB);
});

test('a peer may spend the credit that it was granted, and no more', (t) => {
  const window = new ReceiveWindow(new CreditPool(0), 2 * KIB, createManualClock());
  t.true(window.receive(KIB - OVERHEAD));
  t.true(window.receive(KIB - OVERHEAD));
  t.false(window.receive(0));
});

test('a closed window returns its credit to the pool', (t) => {
  const clock = createManualClock();
  const pool = new CreditPool(512 * KIB);
  const window = new ReceiveWindow(pool, pool.open(), clock);
  t.false(pool.grow(1), 'half of the pool is for new connections');
  window.consume(128 * KIB);
  window.close();
  t.true(pool.grow(256 * KIB));
});
