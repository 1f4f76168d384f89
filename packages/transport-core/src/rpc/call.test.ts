// Tests of the deadlines of outgoing calls.

import test from 'ava';
import { bytes } from '../protocol/bytes.ts';
import { defineProtocol, methodTable } from '../protocol/protocol.ts';
import { Call, NO_OPTIONS } from './call.ts';

const protocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const method = methodTable(protocol).byName.get('echo')!;
const host = (now: number) => ({
  channel: 0x20,
  ordered: false,
  timeout: 5_000,
  ticker: { now: () => now },
  begin: () => 0,
  settled() {},
  wakeBy() {},
});

test('the remaining time is rounded up, and a call without any is late', (t) => {
  const call = new Call(host(100), method, new Uint8Array(0), 'a:1', NO_OPTIONS);
  const left = (now: number) => call.timeLeft(now);
  t.deepEqual([100, 100.001, 101, 5_099, 5_099.999].map(left), [5_000, 5_000, 4_999, 1, 1]);
  t.is(left(5_100 - 2 ** -20), 1);
  const times = [100, 5_099.999, 5_100, 6_000];
  t.deepEqual(
    times.map((now) => call.isLate(now)),
    [false, false, true, true],
  );
  const lasting = (timeout: number) =>
    new Call(host(0), method, new Uint8Array(0), 'a:1', { timeout });
  const never = lasting(Number.POSITIVE_INFINITY);
  t.is(never.timeLeft(1e9), 0);
  const long = lasting(2 ** 31 + 0.5);
  t.is(long.timeLeft(0), 2 ** 31 + 1);
  const longer = lasting(2 ** 40);
  t.is(longer.timeLeft(0), 0xffff_ffff);
});
