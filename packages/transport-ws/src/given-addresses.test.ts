// Tests of a dial to given IP addresses: no name server is asked, and TLS still gets the name.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const NAME = 'node.invalid'; // No name server knows it.

test('a name is dialed at the given addresses, and the upgrade names it', async (t) => {
  const server = createServer((socket) => {
    socket.once('data', (bytes) => {
      hosts.push(/^Host: (.*)\r$/im.exec(bytes.toString('latin1'))![1]!);
      socket.destroy();
    });
  });
  const hosts: string[] = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const layer = createWsStreamLayer();
  const dial = layer.dial(`ws://${NAME}:${port}/`, { timeout: 10_000, addresses: ['127.0.0.1'] });
  await t.throwsAsync(dial);
  t.deepEqual(hosts, [`${NAME}:${port}`]);
  const asked = (await t.throwsAsync(
    layer.dial(`ws://${NAME}:${port}/`, { timeout: 10_000 }),
  )) as TransportError;
  t.is(asked.reason, 'host_not_found');
});

test('TLS gets the name of a server that is dialed at a given address', async (t) => {
  const names: string[] = [];
  const server = createTlsServer({
    SNICallback(name, done) {
      names.push(name);
      done(new Error('no certificate'));
    },
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const layer = createWsStreamLayer();
  await t.throwsAsync(
    layer.dial(`wss://${NAME}:${port}/`, { timeout: 10_000, addresses: ['127.0.0.1'] }),
  );
  t.deepEqual(names, [NAME]);
});
