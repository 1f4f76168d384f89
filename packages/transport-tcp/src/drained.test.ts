// Tests that no call is lost when a transport drains and closes while peers connect.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { drain } from '@trunkline/resilience/health';
import { createIdentity, selfSigned } from '@trunkline/security';
import { createTransport, serve } from '@trunkline/transport-core';
import test from 'ava';
import { tcp } from './index.ts';
import { echo } from './testing/echo.ts';

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

test('a TLS handshake that has begun is completed by a node that drains without refusing', async (t) => {
  const backend = async () => {
    const identity = createIdentity();
    const tls = { key: identity.key, cert: await selfSigned(identity), allow: null };
    return { identity, tls };
  };
  const [own, other] = [await backend(), await backend()];
  const server = createTransport('tcp://127.0.0.1:0', {
    protocol: echo,
    backends: [tcp({ tls: { ...own.tls, allow: [other.identity.nodeId] } })],
  });
  serve(server, { echo: (request) => request });
  await server.listen();
  const client = createTransport({
    protocol: echo,
    backends: [tcp({ tls: { ...other.tls, allow: [own.identity.nodeId] } })],
  });
  const proxy = await holdingProxy(server.localAddr());
  t.teardown(async () => {
    proxy.close();
    await client.close();
    await server.close();
  });
  const call = client.send(proxy.address, 'echo', new Uint8Array(3));
  await proxy.answered;
  const drained = drain(server, { refuse: false });
  await turns(5);
  proxy.release();
  t.is((await call).length, 3);
  await drained;
  t.deepEqual(server.snapshot().connections, []);
});

/** Passes on the client's data, and holds the server's data until `release`. */
async function holdingProxy(target: string) {
  const { hostname, port } = new URL(target);
  const held: Uint8Array[] = [];
  let isHeld = true;
  let client: Socket | undefined;
  let server: Socket | undefined;
  let tell = () => {};
  const answered = new Promise<void>((resolve) => (tell = resolve));
  const listener = createServer((socket) => {
    client = socket;
    server = connect(Number(port), hostname);
    server.on('error', () => {}).on('end', () => socket.end());
    socket.on('error', () => {}).on('end', () => server!.end());
    socket.on('data', (chunk) => server!.write(chunk));
    server.on('data', (chunk) => {
      tell();
      if (isHeld) held.push(chunk);
      else socket.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    address: `tcp://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    answered,
    release() {
      isHeld = false;
      for (const chunk of held.splice(0)) client!.write(chunk);
    },
    close() {
      listener.close();
      client?.destroy();
      server?.destroy();
    },
  };
}
