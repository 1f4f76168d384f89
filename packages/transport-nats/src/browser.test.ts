// Tests of the NATS client of browsers, over the WebSocket port of a server.

import { wsconnect } from '@nats-io/nats-core';
import { startNatsServer } from '@trunkline/local-nats';
import { createManualClock } from '@trunkline/transport-core/testing';
import { WebSocket } from 'ws';
import { NatsClient } from './nats-client.ts';
import { natsTest as test } from './testing/server.ts';

test('a client over WebSocket carries messages both ways, and reports a lost server', async (t) => {
  const server = await startNatsServer({ webSocket: true });
  t.teardown(() => server.kill());
  const connection = await wsconnect({
    servers: server.webSocket!,
    reconnect: false,
    wsFactory: async (url: string) => ({
      socket: new WebSocket(url) as unknown as globalThis.WebSocket,
      encrypted: false,
    }),
  });
  const client = new NatsClient(connection, 1024 * 1024, createManualClock());
  let lost: (() => void) | undefined;
  const isLost = new Promise<void>((resolve) => (lost = resolve));
  const messages: Uint8Array[] = [];
  client.subscribe('a', {
    message: (data) => void messages.push(data),
    noResponders: () => t.fail(),
    failed: () => lost?.(),
  });
  client.publish('a', new Uint8Array([1, 2, 3]), '');
  await client.flush();
  t.deepEqual(messages, [new Uint8Array([1, 2, 3])]);
  t.true(client.maxPayload >= 1024 * 1024);
  await server.kill();
  await isLost;
});
