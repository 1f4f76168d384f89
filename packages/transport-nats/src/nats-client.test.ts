// Tests of when a client closes its connection, on a NATS connection that the test controls.

import type { NatsConnection } from '@nats-io/nats-core';
import { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { NatsClient } from './nats-client.ts';

const LISTENER = { message: () => {}, noResponders: () => {}, failed: () => {} };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a retired client stays open for a connection that began while it drained', async (t) => {
  const flushes: (() => void)[] = [];
  let closes = 0;
  const connection = {
    info: { max_payload: 1_048_576 },
    getServer: () => '127.0.0.1:4222',
    closed: () => new Promise(() => {}),
    isClosed: () => false,
    status: async function* () {},
    flush: () => new Promise<void>((resolve) => flushes.push(resolve)),
    close: async () => void closes++,
    subscribe: () => ({ unsubscribe: () => {}, drain: async () => {} }),
  } as unknown as NatsConnection;
  const flushed = async () => {
    for (const resolve of flushes.splice(0)) resolve();
    await turn();
  };
  const client = new NatsClient(connection, 1_048_576, createManualClock());
  const stopListening = client.subscribe('trunkline.default.dial.orders', LISTENER, 'trunkline');
  client.retire();
  stopListening(true);
  const end = client.subscribe('trunkline.default.in.orders.1', LISTENER);
  await flushed();
  await flushed();
  t.is(closes, 0);
  end();
  await flushed();
  await flushed();
  t.is(closes, 1);
});

test('a flush of a connection that has just closed rejects with a TransportError', async (t) => {
  const connection = {
    getServer: () => '127.0.0.1:4222',
    closed: () => new Promise(() => {}),
    status: async function* () {},
    flush: () => Promise.reject(new Error('closed connection')),
  } as unknown as NatsConnection;
  const client = new NatsClient(connection, 1_048_576, createManualClock());
  await t.throwsAsync(client.flush(), { instanceOf: TransportError, code: 'unavailable' });
});
