// Tests the number of NATS connections of one layer, on connections of the test.

import type { NatsConnection } from '@nats-io/nats-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { NatsClients } from './nats-clients.ts';

const LISTENER = { message: () => {}, noResponders: () => {}, failed: () => {} };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a client without connections makes room for another list of servers', async (t) => {
  const closed: string[] = [];
  const connect = async ({ servers }: { servers?: string | string[] }) => {
    const [server] = servers as string[];
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    return {
      info: { max_payload: 1_048_576 },
      getServer: () => server,
      closed: () => ended,
      isClosed: () => false,
      status: async function* () {},
      flush: async () => {},
      close: async () => {
        closed.push(server!);
        end();
      },
      subscribe: () => ({ unsubscribe() {}, drain: async () => {} }),
    } as unknown as NatsConnection;
  };
  const ignore = () => {};
  const clients = new NatsClients(connect, {}, 1_048_576, createManualClock(), ignore, ignore);
  for (let i = 0; i < 16; i++) {
    const client = await clients.get([`server-${i}`]);
    if (i !== 7) client.subscribe('trunkline.default.in.a.1', LISTENER);
  }
  const next = await clients.get(['server-16']);
  next.subscribe('trunkline.default.in.a.1', LISTENER);
  await turn();
  t.deepEqual(closed, ['server-7']);
  await t.throwsAsync(clients.get(['server-17']), { code: 'resource_exhausted' });
  t.deepEqual(closed, ['server-7']);
});
