// Tests Noise over a line that alters bytes: no altered byte is ever delivered, and the connection
// ends with a reset.

import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { faulty } from '@trunkline/transport-testkit';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { secured } from './create-noise-stream-layer.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test('a byte altered below noise ends the connection with reset and is not delivered', async (t) => {
  const line = inmem();
  const network = faulty(line, { seed: 8 });
  const server = createTransport('inmem://server', {
    protocol: echo,
    backends: [secured(line, { identity: createIdentity() })],
  });
  let altered = 0;
  const isWhole = (message: Uint8Array) => message.every((byte) => byte === 7);
  serve(server, {
    echo(request) {
      if (!isWhole(request)) altered++;
      return request;
    },
  });
  await server.listen();
  const client = createTransport({
    protocol: echo,
    backends: [secured(network, { identity: createIdentity() })],
  });
  t.teardown(() => Promise.all([client.close(), server.close()]));
  const call = () => client.send('inmem://server', 'echo', new Uint8Array(1_000).fill(7));
  t.true(isWhole(await call()));

  network.set({ corruptEvery: 5_000 });
  const reasons = new Set<string | undefined>();
  for (let i = 0; i < 50; i++) {
    try {
      if (!isWhole(await call())) altered++;
    } catch (error) {
      t.true(error instanceof TransportError, String(error));
      reasons.add((error as TransportError).reason);
    }
  }
  t.is(altered, 0);
  t.true(reasons.has('reset'), [...reasons].join(', '));

  network.heal();
  network.cut();
  while (network.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  t.true(isWhole(await call()));
});
