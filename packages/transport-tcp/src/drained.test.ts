// Tests that no call is lost when a transport drains and closes while peers connect.

import { bytes, createTransport, defineProtocol, drain, serve } from '@trunkline/transport-core';
import test from 'ava';
import { tcp } from './index.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

test('a call over a connection that comes up while the transport closes fails unsent', async (t) => {
  for (let round = 0; round < 24; round++) {
    const server = createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] });
    serve(server, { echo: (request) => request });
    await server.listen();
    const address = server.localAddr();
    const calls = Array.from({ length: 12 }, async (_, number) => {
      const client = createTransport({ protocol: echo, backends: [tcp()] });
      await turns(number % 3);
      for (let call = 0; call < 3; call++)
        await client.send(address, 'echo', new Uint8Array(1)).catch(({ code, sent }) => {
          t.deepEqual({ code, sent }, { code: 'unavailable', sent: false });
        });
      await client.close();
    });
    await turns(round % 8);
    await drain(server);
    await server.close({ grace: 1_000 });
    await Promise.all(calls);
  }
  t.pass();
});
