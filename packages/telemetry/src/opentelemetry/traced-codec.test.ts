// Tests of the codec that puts a trace context before a message.

import { bytes } from '@trunkline/transport-core';
import test from 'ava';
import { traced } from '../index.opentelemetry.ts';

const codec = traced(bytes);
const value = new Uint8Array([1, 2, 3]);

test('a message survives the round trip, with and without a context', (t) => {
  const trace = { traceparent: '00-a-b-01', tracestate: 'vendor=1' };
  t.deepEqual(codec.decode(codec.encode({ value, trace })), { value, trace });
  t.deepEqual(codec.decode(codec.encode({ value })), { value });
  t.is(codec.encode({ value }).length, 5);
});

test('malformed messages are refused', (t) => {
  for (const malformed of [[], [0], [0, 1], [2, 89, ...new Array(601).fill(0)]])
    t.throws(() => codec.decode(new Uint8Array(malformed)), { code: 'invalid_argument' });
});

test('the limit leaves room for the context', (t) => {
  t.is(codec.limit, undefined);
  t.is(traced({ ...bytes, limit: 100 }).limit, 702);
});
