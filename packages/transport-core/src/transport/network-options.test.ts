// Tests of a NetworkTransport's options, and of its listening, closing and misuse, without peers.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { TransportError } from '../errors.ts';
import { createManualClock } from '../manual-clock.ts';
import type { Observer } from '../observer.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { seededRandom } from '../random.ts';
import { methods, protocol } from '../session/testing/stamped-calls.ts';
import type { StreamConnection } from '../stream/stream-layer.ts';
import { NetworkTransport } from './create-transport.ts';
import { fakeLayer } from './testing/fake-layer.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const scene = (options: object = {}) => {
  const { layer, state } = fakeLayer();
  const clock = createManualClock();
  const transport = new NetworkTransport({
    protocol,
    stream: layer,
    clock,
    random: seededRandom(1),
    ...options,
  });
  return { layer, state, clock, transport };
};

/** A stream on which the peer never answers. */
const fakeStream = (methods: object) =>
  ({
    endpoint: 'there',
    attach: () => {},
    write: () => true,
    pause: () => {},
    resume: () => {},
    close: () => {},
    destroy: () => {},
    ...methods,
  }) as unknown as StreamConnection;

test('invalid options throw a TypeError that names each path', (t) => {
  const { layer } = fakeLayer();
  const wrong = (options: object, message: RegExp) =>
    t.throws(() => new NetworkTransport({ protocol, stream: layer, ...options } as never), {
      instanceOf: TypeError,
      message,
    });
  wrong({ protocol: {} }, /NetworkTransport: protocol: must be a protocol made by defineProtocol/);
  wrong({ protocol: undefined }, /protocol: is required/);
  wrong({ stream: {} }, /stream: must be a StreamLayer/);
  wrong({ stream: undefined }, /stream: is required/);
  wrong({ timeout: 0 }, /timeout: must be milliseconds above 0/);
  wrong({ limits: { packet: 5 } }, /limits\.packet/);
  wrong({ maxpool: 3 }, /maxpool: unknown option; did you mean 'maxPool'\?/);
  wrong(
    { name: 'n', hello: { k: 'v'.repeat(8_191) } },
    /options 'hello' and 'name': must be at most 8 KiB/,
  );
  wrong({ name: '\ud800' }, /'name' has a lone surrogate/);
  wrong({ timeout: -1, maxPool: 0 }, /timeout.*maxPool|maxPool.*timeout/);
  t.throws(() => new NetworkTransport(undefined as never), { instanceOf: TypeError });
});

test('an unused transport has no timer and leaves none', async (t) => {
  const { transport, clock, state } = scene();
  t.is(clock.timers, 0);
  await transport.close();
  t.is(clock.timers, 0);
  t.is(state.closed, 1);
  await transport.close();
  t.is(state.closed, 1);
});

test('while its listener is broken a transport still dials, and advertises no address', async (t) => {
  const { layer } = fakeLayer();
  const written: Uint8Array[] = [];
  let up = true;
  const write = (chunk: Uint8Array) => written.push(chunk.slice()) > 0;
  const stream = fakeStream({ write });
  const localAddr = () => {
    if (up) return 'fake:1';
    throw new TransportError('failed_precondition', 'not listening');
  };
  const clock = createManualClock();
  const transport = new NetworkTransport({
    protocol,
    stream: { ...layer, localAddr, advertiseAddr: localAddr, dial: async () => stream },
    clock,
    random: seededRandom(1),
  });
  await transport.listen();
  t.deepEqual(transport.snapshot().localAddrs, ['fake:1']);
  up = false;
  t.deepEqual(transport.snapshot().localAddrs, []);
  const failed = t.throwsAsync(
    transport.send('a:1', 'ask', new Uint8Array(0), { timeout: 50 }),
  ) as unknown as Promise<TransportError>;
  await turn();
  t.is(written.length, 1, 'its hello');
  clock.advance(50);
  t.is((await failed).code, 'deadline_exceeded');
});

test('dials that run at the same time do not exceed limits.connections', async (t) => {
  const { layer } = fakeLayer();
  const destroyed: number[] = [];
  let streams = 0;
  const dial = async () => {
    const n = ++streams;
    return fakeStream({ destroy: () => destroyed.push(n) });
  };
  const { transport } = scene({ stream: { ...layer, dial }, limits: { connections: 1 } });
  void transport.dial('a:1');
  await t.throwsAsync(transport.dial('b:1'), { code: 'resource_exhausted', message: /limits/ });
  t.deepEqual(destroyed, [2]);
});

test('a hello function whose fields are too large with the name fails the dial', async (t) => {
  const { layer } = fakeLayer();
  const failed: string[] = [];
  const observer: Observer = {
    event: (event) => void (event.type === 'callbackFailed' && failed.push(event.callback)),
  };
  const hello = () => ({ k: 'v'.repeat(8_191) });
  const stream = { ...layer, dial: async () => fakeStream({}) };
  const { transport } = scene({ stream, name: 'n', hello, observer });
  await t.throwsAsync(transport.dial('a:1'), { code: 'unavailable', message: /at most 8 KiB/ });
  t.deepEqual(failed, ['hello']);
});

test('listen can be retried after it failed, but not after it succeeded', async (t) => {
  const { transport, state } = scene();
  state.broken = new TransportError('unavailable', 'in use', { reason: 'address_in_use' });
  t.is(((await t.throwsAsync(transport.listen())) as TransportError).reason, 'address_in_use');
  state.broken = undefined;
  await transport.listen();
  t.is(((await t.throwsAsync(transport.listen())) as TransportError).code, 'failed_precondition');
  await transport.close();
  t.is(((await t.throwsAsync(transport.listen())) as TransportError).code, 'shutdown');
});

test('close() ignores an error of the layer while a connection is closing', async (t) => {
  const { layer, state } = fakeLayer();
  const close = () => Promise.reject(new Error('cannot unbind'));
  const transport = new NetworkTransport({ protocol, stream: { ...layer, close } });
  await transport.listen();
  let closed = () => {};
  state.accept({
    endpoint: 'b:1',
    attach: (sink) => void (closed = () => sink.closed()),
    close: () => {},
  } as StreamConnection);
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const closing = transport.close();
  await turn();
  process.off('unhandledRejection', note);
  t.deepEqual(unhandled, []);
  closed();
  await t.notThrowsAsync(closing);
});

test('close() is allowed before listen, and after it failed', async (t) => {
  const { transport, state } = scene();
  state.broken = new TransportError('unavailable', 'in use');
  await t.throwsAsync(transport.listen());
  await t.notThrowsAsync(transport.close());
});

test('send never throws: misuse rejects with a TypeError that says what is wrong', async (t) => {
  const { transport } = scene();
  const send = transport.send.bind(transport) as unknown as (
    ...args: unknown[]
  ) => Promise<unknown>;
  const empty = new Uint8Array(0);
  for (const [message, ...args] of [
    [/no method 'nothing'; it has ask, tell/, 'a:1', 'nothing', empty],
    [/no method 'toString'/, 'a:1', 'toString', empty],
    [/timeout/, 'a:1', 'ask', empty, { timeout: 0 }],
    [/timeout/, 'a:1', 'ask', empty, { timeout: Number.NaN }],
    [/has no upload/, 'a:1', 'ask', empty, { upload: [] }],
    ...[{}, undefined, 5].map((to) => [/a target is an address, or a Remote/, to, 'ask', empty]),
  ] as [RegExp, ...unknown[]][])
    await t.throwsAsync(send(...args), { instanceOf: TypeError, message });
  await transport.close();
});

test('misuse leaves nothing behind: no listener on its signal, no call that close() would wait for', async (t) => {
  const { transport, clock } = scene();
  const mount = transport.mount(defineProtocol({ name: 'mounted', channel: 0x30, methods }));
  const { signal } = new AbortController();
  await t.throwsAsync(mount.send({} as never, 'ask', new Uint8Array(0), { signal }), {
    instanceOf: TypeError,
  });
  await t.throwsAsync(mount.send('', 'ask', new Uint8Array(0), { signal }));
  t.is(getEventListeners(signal, 'abort').length, 0);
  await mount.close({ grace: 1_000 });
  await transport.close();
  t.is(clock.timers, 0);
});
