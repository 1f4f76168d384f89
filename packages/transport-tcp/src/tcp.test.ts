// Tests tcp() and createTcpStreamLayer: calls, addresses, options, and connections that speak
// another protocol.

import { connect } from 'node:net';
import { createTransport, type ObserverEvent, serve } from '@trunkline/transport-core';
import test from 'ava';
import { tcp } from './tcp.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';
import { echo } from './testing/echo.ts';

test('one end calls the other, with and without tcp:// in the target', async (t) => {
  const server = createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] });
  const client = createTransport({ protocol: echo, backends: [tcp()] });
  t.teardown(() => Promise.all([server.close(), client.close()]).then(() => {}));
  await server.listen();
  serve(server, { echo: (request) => request });
  t.regex(server.localAddr(), /^tcp:\/\/127\.0\.0\.1:\d+$/);
  t.deepEqual(
    [...(await client.send(server.localAddr(), 'echo', new Uint8Array([1, 2, 3])))],
    [1, 2, 3],
  );
  t.deepEqual(
    [...(await client.send(server.localAddr().replace('tcp://', ''), 'echo', new Uint8Array([4])))],
    [4],
  );
  t.is(client.remotes().length, 1);
});

test('invalid options throw a TypeError that names the function and the option', (t) => {
  const cases = [
    [
      () => createTcpStreamLayer({ bindAdr: 'x:1' } as never),
      /createTcpStreamLayer: bindAdr.*bindAddr/,
    ],
    [() => createTcpStreamLayer({ keepAlive: 0 }), /createTcpStreamLayer: keepAlive: must be/],
    [() => tcp({ keepAlive: -1 }), /tcp: keepAlive: must be .* or false, got -1/],
    [() => tcp({ tsl: {} } as never), /tcp: tsl: unknown option; did you mean 'tls'/],
    [() => tcp({ tls: true } as never), /tcp: tls: must be an object/],
  ] as const;
  for (const [make, message] of cases) t.throws(make, { instanceOf: TypeError, message });
});

for (const [title, bytesSent] of [
  ['noise', Buffer.from([0x80, 0, 1, 2, 0xff, 0xfe, 7, 8])],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00])],
] as const) {
  test(`${title} is closed without an answer, reported to the observer, and disturbs no other connection`, async (t) => {
    const events: ObserverEvent[] = [];
    let tell = () => {};
    const rejected = new Promise<void>((resolve) => (tell = resolve));
    const observer = {
      event(event: ObserverEvent) {
        events.push(event);
        if (event.type === 'rejected') tell();
      },
    };
    const server = createTransport('tcp://127.0.0.1:0', {
      protocol: echo,
      observer,
      backends: [tcp()],
    });
    const client = createTransport({ protocol: echo, backends: [tcp()] });
    t.teardown(() => Promise.all([server.close(), client.close()]).then(() => {}));
    await server.listen();
    serve(server, { echo: (request) => request });
    await client.dial(server.localAddr());
    const socket = connect(Number(server.localAddr().split(':').at(-1)), '127.0.0.1');
    let answered = 0;
    socket.on('error', () => {}).on('data', (chunk) => (answered += chunk.length));
    const gone = new Promise((resolve) => socket.on('close', resolve));
    socket.write(bytesSent);
    await Promise.all([gone, rejected]);
    t.is(answered, 0);
    const event = events.find((each) => each.type === 'rejected');
    t.is(event?.type === 'rejected' ? event.error.reason : undefined, 'wrong_preamble');
    t.deepEqual([...(await client.send(server.localAddr(), 'echo', new Uint8Array([1])))], [1]);
  });
}
