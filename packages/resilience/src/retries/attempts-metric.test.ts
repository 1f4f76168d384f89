// Tests that attempts appear in the metrics of a transport, and that deadlines are not extended.

import { createMetrics } from '@trunkline/telemetry';
import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import test from 'ava';
import { resilienceMetadata } from '../resilience-metadata.ts';
import { createRetries } from './retries.ts';

const orders = defineProtocol({
  name: 'orders',
  methods: { get: { id: 1, request: bytes, response: bytes, timeout: 1_000 } },
});

test('each attempt is counted, announces itself, and has the deadline of its call', async (t) => {
  const backends = [inmem()];
  const clock = createManualClock();
  const server = createTransport('inmem://orders', { protocol: orders, backends });
  const seen: (string | undefined)[] = [];
  serve(server, {
    get(request, { metadata }) {
      seen.push(metadata[resilienceMetadata.previousAttempts]);
      if (seen.length < 3) throw new TransportError('unavailable', 'not now');
      return request;
    },
  });
  await server.listen();
  const metrics = createMetrics();
  const retries = createRetries({
    methods: { '*': { idempotent: true, initialBackoff: 100 } },
    clock,
    random: () => 0.5,
  });
  const deadlines: (number | undefined)[] = [];
  const client = createTransport({
    protocol: orders,
    backends,
    clock,
    observer: {
      callStarted: (call) => {
        deadlines.push(call.deadline);
        metrics.observer.callStarted?.(call);
      },
      callEnded: (call) => metrics.observer.callEnded?.(call),
    },
    interceptors: { client: [retries.interceptor] },
  });
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  const begun = clock.now();
  const call = client.send('inmem://orders', 'get', Uint8Array.of(7));
  for (const wait of [50, 100]) {
    const attempts = seen.length;
    while (seen.length === attempts) await new Promise((resolve) => setImmediate(resolve));
    while (clock.nextDue === undefined || clock.nextDue > clock.now() + wait)
      await new Promise((resolve) => setImmediate(resolve));
    clock.advance(wait);
  }
  t.deepEqual(await call, Uint8Array.of(7));
  t.deepEqual(seen, [undefined, '1', '2']);
  t.deepEqual(deadlines, [begun + 1_000, begun + 1_000, begun + 1_000]);
  const attempts = metrics.collect().find(({ name }) => name === 'trunkline.client.call.attempts');
  t.deepEqual(
    attempts?.points.map(({ value }) => value),
    [3],
  );
  t.is(retries.snapshot().retries, 2);
});
