// Tests the end of a relayed stream whose other end does not end, on a call of the test.

import { systemClock } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { Recorder } from '@trunkline/transport-testkit/internal';
import test from 'ava';
import { RelayConnection } from './relay-connection.ts';

test('a relayed stream that the other end keeps open is reset a second after close', async (t) => {
  const clock = createManualClock();
  const aborts: unknown[] = [];
  const incoming = { next: () => new Promise<IteratorResult<Uint8Array>>(() => {}) };
  const connection = new RelayConnection('node', incoming, clock, (error) => aborts.push(error));
  const reader = new Recorder(connection);
  connection.close();
  connection.close();
  clock.advance(999);
  t.deepEqual(aborts, []);
  clock.advance(1);
  await reader.ended();
  t.is(reader.error?.reason, 'reset');
  t.is(aborts.length, 1);
  t.is(clock.timers, 0);
});

test('destroy reports the end of a relayed stream later', async (t) => {
  const incoming = { next: () => new Promise<IteratorResult<Uint8Array>>(() => {}) };
  const connection = new RelayConnection('node', incoming, systemClock, () => {});
  const reader = new Recorder(connection);
  connection.destroy();
  t.is(reader.ends, 0);
  await reader.ended();
});
