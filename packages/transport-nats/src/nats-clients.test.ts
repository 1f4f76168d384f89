// Tests the number of NATS connections of one layer, on connections of the test.

import type { NatsConnection } from '@nats-io/nats-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { NatsClients } from './nats-clients.ts';

const LISTENER = { message: () => {}, noResponders: () => {}, failed: () => {} };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a client without connections makes room for another list of servers', async (t) => {
  const { clients, closed } = fixture();
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

test('the servers of lost clients are remembered for a limited number of lists', async (t) => {
  const { clients, opened, lose } = fixture();
  for (let i = 0; i <= 16; i++) {
    await clients.get([`server-${i}`]);
    lose();
    await turn();
  }
  await clients.get(['server-1']);
  await clients.get(['server-0']);
  t.deepEqual(opened.slice(-2), [['server-1', 'other'], ['server-0']]);
});

/** Clients on connections that report the server 'other', too; `lose` ends the last connection. */
function fixture() {
  const opened: string[][] = [];
  const closed: string[] = [];
  let lose = () => {};
  const connect = async ({ servers }: { servers?: string | string[] }) => {
    const [server] = servers as string[];
    opened.push(servers as string[]);
    const ended = new Promise<void>((resolve) => (lose = resolve));
    const end = lose;
    return {
      info: { max_payload: 1_048_576, connect_urls: ['other'] },
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
  return { clients, opened, closed, lose: () => lose() };
}
