// Tests of the links that only the direct backend has. The contract of every transport is tested in
// compliance.test.ts.

import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  type Transport,
  type TransportError,
} from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { type DirectBackend, direct } from './direct.ts';

const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
type Node = Transport<typeof echo>;

test('addresses are the given ones, random by default', async (t) => {
  const net = direct();
  const given = await node(t, net, 'inmem://any-text_at.all');
  t.is(given.localAddr(), 'inmem://any-text_at.all');
  t.is(given.advertiseAddr(), given.localAddr());
  const [one, other] = [await node(t, net), await node(t, net)];
  t.regex(one.localAddr(), /^inmem:\/\/[0-9a-f-]{36}$/);
  t.not(one.localAddr(), other.localAddr());
});

test('without a link a call fails with unavailable, and the error says what to do', async (t) => {
  const { a } = await nodes(t);
  const error = await failed(call(a, 'b'));
  t.is(error.code, 'unavailable');
  t.is(error.sent, false);
  t.regex(error.message, /connect\('a', 'b'\)/);
});

test('a link is directed: it says who may dial', async (t) => {
  const { net, a, b } = await nodes(t);
  net.connect('a', 'b');
  t.is(await call(a, 'b'), 3);
  t.is((await failed(call(b, 'a'))).code, 'unavailable');
});

test('links are named before their transports exist, with or without a scheme', async (t) => {
  const net = direct();
  net.connect('inmem://a', 'b');
  const [a] = [await node(t, net, 'inmem://a'), await node(t, net, 'inmem://b')];
  t.is(await call(a, 'b'), 3);
});

test('an end that does not listen refuses dials', async (t) => {
  const { net, a } = await nodes(t);
  net.connect('a', 'nobody');
  const error = await failed(call(a, 'nobody'));
  t.is(error.reason, 'connection_refused');
  t.regex(error.message, /nothing listens/);
});

test('disconnect resets the connection and holds until the next connect', async (t) => {
  const { net, a } = await nodes(t);
  net.connect('a', 'b');
  await call(a, 'b');
  const lost = ended(a);
  net.disconnect('a', 'b');
  t.is((await lost).reason, 'reset');
  t.deepEqual(a.remotes(), []);
  t.is((await failed(call(a, 'b'))).code, 'unavailable');
  net.connect('a', 'b');
  t.is(await call(a, 'b'), 3);
});

test('disconnect leaves the link and the connection of the other end', async (t) => {
  const { net, a, b } = await nodes(t);
  net.connectAll();
  await Promise.all([call(a, 'b'), call(b, 'a')]);
  net.disconnect('a', 'b');
  t.is(await call(b, 'a'), 3);
  t.is(b.remotes().filter(({ direction }) => direction === 'out').length, 1);
});

test('disconnectAll isolates a transport, whoever has dialed, until the next connect', async (t) => {
  const { net, a, b, c } = await nodes(t);
  net.connectAll();
  net.connect('a', 'b');
  await Promise.all([call(a, 'b'), call(a, 'c'), call(c, 'a')]);
  const lost = ended(a);
  net.disconnectAll('a');
  await lost;
  t.deepEqual(a.remotes(), []);
  for (const [from, to] of [
    [a, 'b'],
    [a, 'c'],
    [c, 'a'],
  ] as const)
    t.is((await failed(call(from, to))).code, 'unavailable');
  t.is(await call(b, 'c'), 3);
  net.connect('c', 'a');
  t.is(await call(c, 'a'), 3);
  t.is((await failed(call(b, 'a'))).code, 'unavailable');
  net.connectAll();
  t.is(await call(b, 'a'), 3);
});

test('connectAll links every pair in both directions, and transports that come later', async (t) => {
  const { net, a, b, c } = await nodes(t);
  net.disconnect('a', 'b');
  net.connectAll();
  const d = await node(t, net, 'inmem://d');
  const caller = createTransport({ protocol: echo, backends: [net] });
  t.teardown(() => caller.close());
  for (const from of [a, b, c, d, caller])
    for (const to of ['a', 'b', 'c', 'd']) t.is(await call(from, to), 3);
});

test('a transport may be linked to itself', async (t) => {
  const { net, a } = await nodes(t);
  net.connect('a', 'a');
  t.is(await call(a, 'a'), 3);
});

test('two values share nothing', async (t) => {
  const [one, other] = [direct(), direct()];
  one.connectAll();
  other.connectAll();
  const a = await node(t, one, 'inmem://a');
  await node(t, other, 'inmem://b');
  t.is((await failed(call(a, 'b'))).reason, 'connection_refused');
});

test('a name that is no address is refused with the right form', (t) => {
  const net = direct();
  const message = /write 'inmem:\/\/name'/;
  t.throws(() => net.connect('', 'a'), { code: 'invalid_argument', message });
  t.throws(() => net.disconnect('a', 'tcp://b:1'), { code: 'invalid_argument', message });
  t.throws(() => net.disconnectAll('a b'), { code: 'invalid_argument', message });
});

async function node(t: ExecutionContext, net: DirectBackend, address = 'inmem://'): Promise<Node> {
  const transport = createTransport(address, { protocol: echo, backends: [net] });
  t.teardown(() => transport.close());
  await transport.listen();
  serve(transport, { echo: (request) => request });
  return transport;
}

/** Three nodes that are not connected yet. */
async function nodes(t: ExecutionContext) {
  const net = direct();
  const [a, b, c] = [
    await node(t, net, 'inmem://a'),
    await node(t, net, 'inmem://b'),
    await node(t, net, 'inmem://c'),
  ];
  return { net, a, b, c };
}

async function call(from: Node, to: string): Promise<number> {
  return (await from.send(`inmem://${to}`, 'echo', new Uint8Array([1, 2, 3]))).length;
}

/** Resolves with the error of the last connection that ends, once none is left. */
async function ended(transport: Node): Promise<TransportError> {
  for await (const event of transport.connections())
    if (event.type === 'down' && transport.remotes().length === 0) return event.cause!;
  throw new Error('the transport was closed');
}

async function failed(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => {
      throw new Error('It was to fail');
    },
    (error: TransportError) => error,
  );
}
