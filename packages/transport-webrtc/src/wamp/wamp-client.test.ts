// Tests of the WAMP client; the test plays the router.

import type { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { FakeSocket } from './testing/fake-socket.ts';
import { WampClient } from './wamp-client.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('a join says hello with its realm and roles, and fails with the error of the router', async (t) => {
  const { socket, joining } = start();
  t.deepEqual(socket.sent, [[1, 'main', { roles: { caller: {}, callee: {} } }]]);
  socket.receive(3, {}, 'wamp.error.no_such_realm');
  t.is((await t.throwsAsync<TransportError>(joining))!.code, 'not_found');
  t.true(socket.isClosed);
});

for (const uri of [{ toString: 1 }, 'constructor', 7])
  test(`the unknown URI ${JSON.stringify(uri)} of a router is unavailable`, async (t) => {
    const { socket, joining } = start();
    socket.receive(3, {}, uri);
    t.is((await t.throwsAsync<TransportError>(joining))!.code, 'unavailable');
  });

test('a join fails if the router ends the session as soon as it has begun', async (t) => {
  const { socket, joining, ends } = start();
  socket.receive(2, 1, {});
  socket.receive(6, {}, 'wamp.close.system_shutdown');
  t.is((await t.throwsAsync<TransportError>(joining))!.reason, 'closed');
  t.deepEqual(ends, []);
});

test('a router that does not answer is left after the timeout', async (t) => {
  const { socket, clock, joining } = start();
  clock.advance(1_000);
  t.is((await t.throwsAsync<TransportError>(joining))!.reason, 'dial_timeout');
  t.true(socket.isClosed);
  t.is(clock.timers, 0);
});

for (const [name, text] of [
  ['text that is no JSON', '{'],
  ['JSON that is no message', '{"a":1}'],
  ['a message without a number', '["a"]'],
  ['binary data', new Uint8Array(1)],
  ['a message that is too long', `[50,1,{},["${'x'.repeat(200_000)}"]]`],
] as const)
  test(`a router that sends ${name} is left with malformed`, async (t) => {
    const { socket, client, ends } = await joined();
    const call = t.throwsAsync(client.call('bob', []));
    socket.receiveText(text);
    t.is(((await call) as TransportError).reason, 'malformed');
    t.is(ends.length, 1);
    t.true(socket.isClosed);
  });

test('results reach their calls, in any order, and unknown ones are ignored', async (t) => {
  const { socket, client } = await joined();
  const calls = [client.call('a', [1]), client.call('b', [2])];
  t.deepEqual(socket.sent.slice(1), [
    [48, 1, {}, 'a', [1]],
    [48, 2, {}, 'b', [2]],
  ]);
  socket.receive(50, 2, {}, ['two']);
  socket.receive(50, 2, {}, ['again']);
  socket.receive(50, 9, {}, ['nobody']);
  socket.receive(8, 48, 9, {}, 'wamp.error.x');
  socket.receive(99);
  socket.receive(50, 1, {}, ['one']);
  t.deepEqual(await Promise.all(calls), [['one'], ['two']]);
});

test('a call without an answer ends after the timeout, and the session stays', async (t) => {
  const { client, clock, ends } = await joined();
  const call = t.throwsAsync(client.call('a', []));
  clock.advance(1_000);
  t.is(((await call) as TransportError).reason, 'dial_timeout');
  t.deepEqual(ends, []);
});

test('at most 256 requests wait for the router', async (t) => {
  const { client } = await joined();
  for (let i = 0; i < 256; i++) client.call('a', []).catch(() => {});
  t.is((await t.throwsAsync<TransportError>(client.call('a', [])))!.code, 'resource_exhausted');
  client.close();
});

test('a procedure that another node holds is refused with address_in_use', async (t) => {
  const { socket, client } = await joined();
  const registering = client.register('ada');
  t.deepEqual(socket.sent.at(-1), [64, 1, {}, 'ada']);
  socket.receive(8, 64, 1, {}, 'wamp.error.procedure_already_exists');
  t.is((await t.throwsAsync<TransportError>(registering))!.reason, 'address_in_use');
  const again = client.register('ada');
  socket.receive(65, 2, 7);
  t.is(await again, 7);
  const leaving = client.unregister(7);
  t.deepEqual(socket.sent.at(-1), [66, 3, 7]);
  socket.receive(67, 3);
  await leaving;
});

test('an invocation is answered or refused, as in Babble', async (t) => {
  const { socket, client, invocations } = await joined();
  socket.receive(68, 5, 7, {}, ['ada', '{}']);
  t.deepEqual(invocations, [[5, ['ada', '{}']]]);
  client.answer(5, ['answer']);
  client.refuse(6, 'io.babble.processing_offer', 'no room');
  t.deepEqual(socket.sent.slice(1), [
    [70, 5, {}, ['answer']],
    [8, 68, 6, {}, 'io.babble.processing_offer', ['no room']],
  ]);
});

test('a goodbye is answered, and ends the session and its calls', async (t) => {
  const { socket, client, ends } = await joined();
  const call = t.throwsAsync(client.call('a', []));
  socket.receive(6, {}, 'wamp.close.system_shutdown');
  t.is(((await call) as TransportError).reason, 'closed');
  t.deepEqual(socket.sent.at(-1), [6, {}, 'wamp.close.goodbye_and_out']);
  await tick();
  t.is(ends[0]?.reason, 'closed');
});

function start() {
  const socket = new FakeSocket();
  const clock = createManualClock();
  const ends: TransportError[] = [];
  const invocations: unknown[][] = [];
  const joining = WampClient.join({
    url: 'ws://router',
    realm: 'main',
    clock,
    timeout: 1_000,
    openWebSocket: () => socket,
    invoked: (...invocation) => invocations.push(invocation),
    closed: (error) => ends.push(error),
  });
  socket.open();
  return { socket, clock, ends, invocations, joining };
}

async function joined() {
  const started = start();
  started.socket.receive(2, 1, {});
  return { ...started, client: await started.joining };
}
