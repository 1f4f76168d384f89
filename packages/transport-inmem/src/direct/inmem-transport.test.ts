// Tests of the links that only the direct transport has. The contract of every transport is tested
// in compliance.test.ts.

import { bytes, defineProtocol, serve, type TransportError } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { connectAll, createInmemTransport, type InmemTransport } from './inmem-transport.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
type Node = InmemTransport<typeof echo>;

test('addresses are the given ones, random by default', async (t) => {
  const given = await node(t, 'any text at all');
  t.is(given.localAddr(), 'any text at all');
  t.is(given.advertiseAddr(), given.addr);
  const [one, other] = [await node(t), await node(t)];
  t.regex(one.localAddr(), /^[0-9a-f-]{36}$/);
  t.not(one.localAddr(), other.localAddr());
});

test('without a link a call fails with unavailable, and the error says what to do', async (t) => {
  const [a] = await nodes(t, 'a', 'b');
  const error = await failed(call(a, 'b'));
  t.is(error.code, 'unavailable');
  t.is(error.sent, false);
  t.regex(error.message, /connect\('b'/);
});

test('a link is directed: it says who may dial', async (t) => {
  const [a, b] = await nodes(t, 'a', 'b');
  a.connect('b', b);
  t.is(await call(a, 'b'), 3);
  t.is((await failed(call(b, 'a'))).code, 'unavailable');
});

test('over a link that one end made both ends can call', async (t) => {
  const [a, b] = await nodes(t, 'a', 'b');
  a.connect('b', b);
  await a.dial('b');
  const up = await b.connections().next();
  t.is((await b.send(up.value.remote, 'echo', new Uint8Array(3))).length, 3);
});

test('an end that does not listen refuses dials', async (t) => {
  const a = await node(t, 'a');
  const b = createInmemTransport({ protocol: echo, addr: 'b' });
  a.connect('b', b);
  t.is((await failed(call(a, 'b'))).reason, 'connection_refused');
});

test('disconnect removes the link, too, until the next connect', async (t) => {
  const [a, b] = await nodes(t, 'a', 'b');
  a.connect('b', b);
  await call(a, 'b');
  await a.disconnect('b');
  t.deepEqual(a.remotes(), []);
  t.is((await failed(call(a, 'b'))).code, 'unavailable');
  a.connect('b', b);
  t.is(await call(a, 'b'), 3);
});

test('disconnect of a Remote that was dialed removes its link', async (t) => {
  const [a, b] = await nodes(t, 'a', 'b');
  a.connect('b', b);
  await a.disconnect(await a.dial('b'));
  t.is((await failed(call(a, 'b'))).code, 'unavailable');
});

test('disconnect does not affect the link of the other end', async (t) => {
  const [a, b] = await nodes(t, 'a', 'b');
  connectAll(a, b);
  await a.disconnect('b');
  t.is(await call(b, 'a'), 3);
});

test('disconnectAll removes every link and closes every connection, accepted ones included', async (t) => {
  const [a, b, c] = await nodes(t, 'a', 'b', 'c');
  connectAll(a, b, c);
  await Promise.all([call(a, 'b'), call(a, 'c'), call(c, 'a')]);
  await a.disconnectAll();
  t.deepEqual(a.remotes(), []);
  t.is((await failed(call(a, 'b'))).code, 'unavailable');
  t.is((await failed(call(a, 'c'))).code, 'unavailable');
  t.is(await call(b, 'c'), 3);
  t.is(await call(c, 'a'), 3);
});

test('connectAll links every pair in both directions', async (t) => {
  const all = await nodes(t, 'a', 'b', 'c', 'd');
  connectAll(...all);
  for (const one of all)
    for (const other of all) if (one !== other) t.is(await call(one, other.addr), 3);
});

test('a transport may be linked to itself', async (t) => {
  const [a] = await nodes(t, 'a');
  a.connect('me', a);
  t.is(await call(a, 'me'), 3);
});

test('messages are copied', async (t) => {
  const [a, b] = [await node(t, 'a'), createInmemTransport({ protocol: echo, addr: 'b' })];
  t.teardown(() => b.close());
  await b.listen();
  a.connect('b', b);
  serve(b, {
    echo(request) {
      const before = request[0]!;
      request.fill(9);
      return new Uint8Array([before]);
    },
  });
  const request = new Uint8Array([1, 2, 3]);
  t.deepEqual([...(await a.send('b', 'echo', request))], [1]);
  t.deepEqual([...request], [1, 2, 3]);
});

test('misuse of connect and invalid options throw TypeErrors', (t) => {
  const a = createInmemTransport({ protocol: echo });
  t.throws(() => a.connect('', a), { instanceOf: TypeError, message: /address/ });
  t.throws(() => a.connect('b', {} as never), {
    instanceOf: TypeError,
    message: /createInmemTransport/,
  });
  t.throws(() => createInmemTransport({ protocol: echo, adr: 'x' } as never), {
    instanceOf: TypeError,
    message: /createInmemTransport: adr.*'addr'/,
  });
});

async function node(t: ExecutionContext, addr?: string): Promise<Node> {
  const transport = createInmemTransport({ protocol: echo, addr });
  t.teardown(() => transport.close());
  await transport.listen();
  serve(transport, { echo: (request) => request });
  return transport;
}

function nodes<const Names extends string[]>(
  t: ExecutionContext,
  ...names: Names
): Promise<{ [K in keyof Names]: Node }> {
  return Promise.all(names.map((name) => node(t, name))) as never;
}

async function call(from: Node, to: string): Promise<number> {
  return (await from.send(to, 'echo', new Uint8Array([1, 2, 3]))).length;
}

async function failed(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => {
      throw new Error('It was to fail');
    },
    (error: TransportError) => error,
  );
}
