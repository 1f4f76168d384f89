// Tests of the WAMP signal with a real router and with a second client.

import { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';
import type { SignalMessage, SignalSession } from '../signal.ts';
import { FakeSocket } from './testing/fake-socket.ts';
import { router } from './testing/router.ts';
import { createWampSignal, type WampSignalOptions } from './wamp-signal.ts';

const OPEN = { timeout: 5_000 };
const offer: SignalMessage = { type: 'offer', sdp: 'v=0\r\n' };
const answer: SignalMessage = { type: 'answer', sdp: 'v=0\r\nb=1\r\n' };

test('an invalid option is a TypeError that names it', (t) => {
  const valid = { address: 'wss://router.example/ws', nodeId: 'ada' };
  t.notThrows(() => createWampSignal(valid));
  for (const [option, value] of [
    ['address', 'https://router.example'],
    ['address', undefined],
    ['nodeId', ''],
    ['nodeId', 7],
    ['realm', ''],
    ['timeout', 0],
    ['timeout', 'soon'],
    ['webSocket', 'ws'],
    ['clock', {}],
    ['random', 4],
    ['relm', 'main'],
  ] as const)
    t.throws(() => createWampSignal({ ...valid, [option]: value } as WampSignalOptions), {
      instanceOf: TypeError,
      message: new RegExp(`^createWampSignal: .*${option}`),
    });
});

test('an offer is answered over a real router, and the caller is named', async (t) => {
  const { ada, bob } = await pair(t);
  t.false(ada.trickle);
  await bob.listen((session) => {
    t.is(session.peer, 'ada');
    session.attach({
      message(message) {
        t.deepEqual(message, offer);
        session.send(answer);
        session.close();
      },
      closed() {},
    });
  });
  const dialed = await ada.open('bob', OPEN);
  t.is(dialed.peer, 'bob');
  t.deepEqual(await result(dialed), answer);
});

test('an offer that the node refuses ends with its error', async (t) => {
  const { ada, bob } = await pair(t);
  await bob.listen((session) => session.close(new TransportError('resource_exhausted', 'no room')));
  const error = (await result(await ada.open('bob', OPEN))) as TransportError;
  t.is(error.code, 'aborted');
});

test('an offer to nobody, or to a node that has left, ends with connection_refused', async (t) => {
  const { ada, bob, url } = await pair(t);
  const refused = async () =>
    ((await result(await ada.open('bob', OPEN))) as TransportError).reason;
  t.is(await refused(), 'connection_refused');
  await bob.listen(() => {});
  await bob.unlisten();
  await bob.unlisten();
  t.is(await refused(), 'connection_refused');
  const cyd = node(t, url, 'bob', { realm: 'other' });
  await cyd.listen(() => {});
  t.is(await refused(), 'connection_refused');
});

test('an offer that is not answered in time ends at both nodes', async (t) => {
  const { url } = await router(t);
  const clock = createManualClock();
  const [ada, bob] = [node(t, url, 'ada'), node(t, url, 'bob', { clock })];
  let cut: (error: TransportError | undefined) => void = () => {};
  const ended = new Promise<TransportError | undefined>((resolve) => {
    cut = resolve;
  });
  await bob.listen((session) =>
    session.attach({ message: () => clock.advance(5_000), closed: cut }),
  );
  const error = (await result(await ada.open('bob', OPEN))) as TransportError;
  t.regex(error.message, /processing_offer/);
  t.is((await ended)?.code, 'deadline_exceeded');
});

test('a node registers again by itself when the router has restarted', async (t) => {
  const { ada, bob, stop, start } = await pair(t);
  await bob.listen((session) =>
    session.attach({ message: () => session.send(answer), closed() {} }),
  );
  await stop();
  await start();
  for (;;) {
    const session = await ada.open('bob', OPEN).catch(() => undefined);
    if (session !== undefined && !((await result(session)) instanceof Error)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.pass();
});

test('a router that is away is unavailable', async (t) => {
  const { url, stop } = await router(t);
  await stop();
  const error = await t.throwsAsync(node(t, url, 'ada').open('bob', OPEN));
  t.is((error as TransportError).code, 'unavailable');
  const invalid = await t.throwsAsync(node(t, 'ws://[', 'ada').open('bob', OPEN));
  t.is((invalid as TransportError).code, 'invalid_argument');
});

test('another WAMP client calls this node, and is called, as a Babble node would', async (t) => {
  const { url } = await router(t);
  const babble = new Wampy(url, { realm: 'main', ws: WebSocket as never });
  await babble.connect();
  t.teardown(() => babble.disconnect());
  await babble.register('0X04BABB1E', ({ argsList }) => {
    const [from, description] = argsList as string[];
    t.is(from, 'ada');
    t.deepEqual(JSON.parse(description!), offer);
    return { argsList: [JSON.stringify(answer)] };
  });
  const ada = node(t, url, 'ada');
  t.deepEqual(await result(await ada.open('0X04BABB1E', OPEN)), answer);
  await ada.listen((session) =>
    session.attach({ message: () => session.send(answer), closed() {} }),
  );
  const { argsList } = await babble.call('ada', ['0X04BABB1E', JSON.stringify(offer)]);
  t.deepEqual(JSON.parse(argsList![0] as string), answer);
  await t.throwsAsync(babble.call('ada', ['0X04BABB1E', 'no JSON']));
});

test('a registered node calls itself every 30 s, and replaces a connection that does not answer', async (t) => {
  const { ada, sockets, join, clock } = await faked(t);
  const listening = ada.listen(() => {});
  const register = async (socket: FakeSocket) => {
    join(socket);
    await turn();
    socket.receive(65, 1, 7);
    await turn();
  };
  await register(sockets[0]!);
  await listening;
  clock.advance(30_000);
  t.deepEqual(sockets[0]!.sent.at(-1), [48, 2, {}, 'ada', []]);
  sockets[0]!.receive(68, 9, 7, {}, []);
  await turn();
  t.deepEqual(sockets[0]!.sent.at(-1), [70, 9, {}, []]);
  sockets[0]!.receive(50, 2, {}, []);
  await turn();
  clock.advance(30_000);
  t.deepEqual(sockets[0]!.sent.at(-1), [48, 3, {}, 'ada', []]);
  clock.advance(5_000);
  await turn();
  t.true(sockets[0]!.isClosed);
  clock.advance(250);
  await turn();
  await register(sockets[1]!);
  t.deepEqual(sockets[1]!.sent.at(-1), [64, 1, {}, 'ada']);
});

test('a registered node that the router does not know registers again', async (t) => {
  const { ada, sockets, join, clock } = await faked(t);
  const listening = ada.listen(() => {});
  join(sockets[0]!);
  await turn();
  sockets[0]!.receive(65, 1, 7);
  await listening;
  clock.advance(30_000);
  sockets[0]!.receive(8, 48, 2, {}, 'wamp.error.no_such_procedure');
  await turn();
  t.true(sockets[0]!.isClosed);
  clock.advance(250);
  await turn();
  join(sockets[1]!);
  await turn();
  t.deepEqual(sockets[1]!.sent.at(-1), [64, 1, {}, 'ada']);
});

test('a signal that no transport uses any more leaves the router, and joins when it is used', async (t) => {
  const { ada, sockets, join } = await faked(t);
  for (const number of [0, 1]) {
    ada.ref(true);
    const opening = ada.open('bob', OPEN);
    await turn();
    join(sockets[number]!);
    await opening;
    ada.ref(true);
    ada.ref(false);
    await turn();
    t.false(sockets[number]!.isClosed, 'another transport uses it');
    ada.ref(false);
    await turn();
    t.true(sockets[number]!.isClosed);
  }
});

test('a signal that is left while it joins leaves the router once it has joined', async (t) => {
  const { ada, sockets, join } = await faked(t);
  ada.ref(true);
  const first = ada.open('bob', OPEN);
  await turn();
  ada.ref(false);
  const second = ada.open('bob', OPEN);
  await turn();
  join(sockets[0]!);
  join(sockets[1]!);
  await Promise.all([first, second]);
  t.deepEqual(
    sockets.map(({ isClosed }) => isClosed),
    [true, false],
  );
});

test('of 64 offers that wait, the oldest gives way to a new one after a second', async (t) => {
  const { ada, sockets, join, clock } = await faked(t);
  const sessions: { readonly peer: string; readonly closed: Promise<unknown> }[] = [];
  const listening = ada.listen((session) => {
    const closed = new Promise((resolve) => session.attach({ message() {}, closed: resolve }));
    sessions.push({ peer: session.peer, closed });
  });
  await turn();
  const [socket] = sockets as [FakeSocket];
  join(socket);
  await turn();
  socket.receive(65, 1, 7);
  await listening;
  const call = async (id: number, from: string) => {
    socket.receive(68, id, 7, {}, [from, JSON.stringify(offer)]);
    await turn();
    return socket.sent.at(-1);
  };
  for (let id = 1; id <= 64; id++) await call(id, `node-${id}`);
  clock.advance(999);
  const refused = (id: number) => [
    8,
    68,
    id,
    {},
    'io.babble.processing_offer',
    ['too many offers wait for their answers'],
  ];
  t.deepEqual(await call(65, 'early'), refused(65));
  clock.advance(1);
  t.deepEqual(await call(66, 'late'), refused(1));
  t.is(((await sessions[0]!.closed) as TransportError).code, 'resource_exhausted');
  t.is(sessions.at(-1)!.peer, 'late');
  t.is(sessions.length, 65);
});

for (const from of ['', 'a b', '\u001b[31m', 'x'.repeat(257)])
  test(`an offer from ${JSON.stringify(from).slice(0, 12)}, which is no id, is refused`, async (t) => {
    const { ada, bob } = await pair(t);
    await ada.listen(() => t.fail());
    Object.defineProperty(bob, 'nodeId', { value: from });
    const error = (await result(await bob.open('ada', OPEN))) as TransportError;
    t.is(error.code, 'aborted');
  });

test('unlisten ends the attempts to register again, and listen begins anew', async (t) => {
  const { ada, sockets, join, clock } = await faked(t);
  const listen = async (socket: number) => {
    const listening = ada.listen(() => {});
    await turn();
    join(sockets[socket]!);
    await turn();
    sockets[socket]!.receive(65, 1, 7);
    await listening;
  };
  await listen(0);
  sockets[0]!.onclose?.({} as never);
  t.is(clock.timers, 1, 'the pause before the next attempt');
  await ada.unlisten();
  t.is(clock.timers, 0);
  await listen(1);
  sockets[1]!.onclose?.({} as never);
  t.is(clock.timers, 1);
});

test('close leaves the realm, and everything fails with shutdown afterwards', async (t) => {
  const { ada, bob } = await pair(t);
  await bob.listen(() => {});
  await bob.close();
  await bob.close();
  t.is(
    ((await result(await ada.open('bob', OPEN))) as TransportError).reason,
    'connection_refused',
  );
  t.is(((await t.throwsAsync(bob.open('ada', OPEN))) as TransportError).code, 'shutdown');
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Two nodes of a router. */
async function pair(t: ExecutionContext) {
  const { url, stop, start } = await router(t);
  return { ada: node(t, url, 'ada'), bob: node(t, url, 'bob'), url, stop, start };
}

/** A node whose router is played by the test. */
async function faked(t: ExecutionContext) {
  const clock = createManualClock();
  const sockets: FakeSocket[] = [];
  const webSocket = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  const join = (socket: FakeSocket) => {
    socket.open();
    socket.receive(2, 1, {});
  };
  const ada = node(t, 'ws://router', 'ada', { clock, webSocket });
  return { ada, sockets, join, clock };
}

function node(
  t: ExecutionContext,
  url: string,
  nodeId: string,
  options: Partial<WampSignalOptions> = {},
) {
  const signal = createWampSignal({ address: url, nodeId, ...options });
  t.teardown(() => signal.close());
  return signal;
}

/** Sends the offer, and resolves with the answer or with the error of the session. */
function result(session: SignalSession): Promise<unknown> {
  return new Promise((resolve) => {
    session.attach({ message: resolve, closed: resolve });
    session.send(offer);
  });
}
