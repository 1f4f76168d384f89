// Tests createTcpTransport and tcp(): calls, addresses, options, and connections that speak another
// protocol.

import { connect } from 'node:net';
import {
  bytes,
  createTransport,
  defineProtocol,
  type ObserverEvent,
  serve,
} from '@trunkline/transport-core';
import test from 'ava';
import { createTcpTransport, tcp } from './create-tcp-transport.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test('one end calls the other, with and without tcp://', async (t) => {
  const server = createTcpTransport({ protocol: echo });
  const client = createTcpTransport({ protocol: echo });
  t.teardown(() => Promise.all([server.close(), client.close()]).then(() => {}));
  await server.listen();
  serve(server, { echo: (request) => request });
  t.regex(server.localAddr(), /^127\.0\.0\.1:\d+$/);
  t.deepEqual(
    [...(await client.send(server.localAddr(), 'echo', new Uint8Array([1, 2, 3])))],
    [1, 2, 3],
  );
  t.deepEqual(
    [...(await client.send(`tcp://${server.localAddr()}`, 'echo', new Uint8Array([4])))],
    [4],
  );
  t.is(client.remotes().length, 1);
});

test('as a backend its addresses have their scheme', async (t) => {
  const backend = tcp();
  const server = createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [backend] });
  const client = createTransport({ protocol: echo, backends: [backend] });
  t.teardown(() => Promise.all([server.close(), client.close()]).then(() => {}));
  await server.listen();
  serve(server, { echo: (request) => request });
  t.regex(server.localAddr(), /^tcp:\/\/127\.0\.0\.1:\d+$/);
  t.deepEqual([...(await client.send(server.localAddr(), 'echo', new Uint8Array([5])))], [5]);
});

test('invalid options throw a TypeError that names the function and the option', (t) => {
  t.throws(() => createTcpTransport({ protocol: echo, bindAdr: 'x:1' } as never), {
    instanceOf: TypeError,
    message: /createTcpTransport: bindAdr.*bindAddr/,
  });
  t.throws(() => createTcpTransport({} as never), { instanceOf: TypeError, message: /protocol/ });
  t.throws(() => tcp({ keepAlive: -1 }), { instanceOf: TypeError, message: /keepAlive/ });
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
    const server = createTcpTransport({ protocol: echo, observer });
    const client = createTcpTransport({ protocol: echo });
    t.teardown(() => Promise.all([server.close(), client.close()]).then(() => {}));
    await server.listen();
    serve(server, { echo: (request) => request });
    await client.dial(server.localAddr());
    const socket = connect(Number(server.localAddr().split(':')[1]), '127.0.0.1');
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
