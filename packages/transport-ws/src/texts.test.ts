// Checks that text from the other end's WebSocket or HTTP server is sanitized before people see it.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { dial, rejection, webSockets } from './testing/upgrades.ts';

const HIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/u;

test('the reason of a close frame is cleaned before it is reported', async (t) => {
  const { server, address } = await webSockets(t);
  server.on('connection', (socket) => socket.close(1011, 'a\x1b[31mred\nline\u202e\u2066\u2028'));
  const connection = await dial(address);
  const error = await new Promise<TransportError | undefined>((closed) =>
    connection.attach({ data() {}, frames() {}, drained() {}, closed }),
  );
  t.regex(error?.message ?? '', /red line/);
  t.notRegex(error?.message ?? '', HIDDEN);
});

test('the status line of a refused upgrade is cleaned and cut before it is reported', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () =>
      socket.end(
        `HTTP/1.1 503 red\x85\x9b[31m${'x'.repeat(8_000)}\r\nConnection: close\r\n\r\n`,
        'latin1',
      ),
    );
  }).listen(0, '127.0.0.1');
  t.teardown(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const error = await rejection(dial(`ws://127.0.0.1:${port}/`));
  t.is(error.code, 'unavailable');
  t.regex(error.message, /red/);
  t.notRegex(error.message, HIDDEN);
  t.true(error.message.length < 1_300);
});
