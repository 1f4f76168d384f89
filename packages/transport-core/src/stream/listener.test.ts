// Tests of listening again after failures.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { createManualClock } from '../manual-clock.ts';
import { Acceptor } from './accept.ts';
import type { ConnectionHost } from './connection.ts';
import type { HandshakeLimiter, StreamConnection, StreamLayer } from './stream-layer.ts';

const BROKEN = new TransportError('unavailable', 'accept failed');
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Creates a layer whose `listen` fails while `broken` is set, and an acceptor on it. */
function scene() {
  const clock = createManualClock(0);
  const state = {
    broken: undefined as Error | undefined,
    tries: 0,
    closed: 0,
    accepted: 0,
    recovered: 0,
  };
  const retries: number[] = [];
  const hooks = { broke: () => {} };
  const told: TransportError[] = [];
  let fail: (error: TransportError) => void = () => {};
  let accept: (connection: StreamConnection) => void = () => {};
  let acquire: HandshakeLimiter['acquire'];
  type Given = { readonly handshakes: HandshakeLimiter };
  const layer = {
    listen: async (onAccept: typeof accept, onFailed: typeof fail, { handshakes }: Given) => {
      ({ acquire } = handshakes);
      state.tries++;
      accept = onAccept;
      fail = onFailed;
      if (state.broken !== undefined) throw state.broken;
    },
    stopListening: () => {},
    close: async () => void state.closed++,
  } as unknown as StreamLayer;
  const listener = new Acceptor({
    layer,
    clock,
    ticker: clock,
    state: 'open',
    config: { handshakeTimeout: 5_000, limits: { handshakes: { pending: 64 }, connections: 64 } },
    connections: new Set(),
    full: () => undefined,
    add: () => {
      state.accepted++;
      return { start: () => {} };
    },
    listenFailed: (_: object, error: TransportError, retryIn: number) => {
      told.push(error);
      retries.push(retryIn);
      hooks.broke();
    },
    listensAgain: () => void state.recovered++,
  } as unknown as ConnectionHost);
  const slot = async (milliseconds: number) => {
    for (let i = 0; i < milliseconds; i++) {
      clock.advance(1);
      if (clock.nextDue === undefined || i % 50 === 0) await turn();
    }
  };
  return {
    clock,
    state,
    hooks,
    retries,
    told,
    listener,
    slot,
    fail: (error = BROKEN) => fail(error),
    accept: (connection: StreamConnection) => accept(connection),
    acquire: () => acquire('a:1', () => {}),
  };
}

test('a layer may call `acquire` without the object that has it', async (t) => {
  const { listener, acquire } = scene();
  await listener.listen();
  t.not(acquire(), undefined);
  await listener.stop();
});

test('a listener that fails for 4 s is tried 11 to 12 times, after 5 ms doubling to 1 s, and stops promptly', async (t) => {
  const { clock, state, retries, listener, slot, fail } = scene();
  await listener.listen();
  state.broken = BROKEN;
  state.tries = 0;
  fail();
  await slot(4_000);
  t.true(retries.length >= 11 && retries.length <= 12, String(retries.length));
  t.is(retries.length, state.tries + 1);
  t.deepEqual(retries.slice(0, 10), [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
  await listener.stop();
  t.is(clock.timers, 0);
  t.is(state.closed, 1);
});

test('a listener that recovers tells so once and continues to listen, and a connection resets the back-off', async (t) => {
  const { state, retries, listener, slot, fail, accept } = scene();
  await listener.listen();
  state.broken = BROKEN;
  fail();
  await slot(100);
  t.is(state.recovered, 0, 'it waits for another attempt');
  state.broken = undefined;
  await slot(200);
  t.is(state.recovered, 1);
  const { tries } = state;
  await slot(5_000);
  t.is(state.tries, tries);
  accept({} as StreamConnection);
  t.is(state.accepted, 1);
  fail();
  t.is(retries.at(-1), 5);
  await listener.stop();
});

test('a layer that listens and fails repeatedly causes no tight loop', async (t) => {
  const { state, retries, listener, slot, fail } = scene();
  await listener.listen();
  for (let i = 0; i < 20; i++) {
    fail();
    await slot(1_000);
  }
  t.is(retries.at(-1), 1_000);
  t.true(state.tries <= 21);
  await listener.stop();
});

test('two failures at once cause one retry', async (t) => {
  const { clock, retries, listener, fail } = scene();
  await listener.listen();
  fail();
  fail();
  t.deepEqual(retries, [5]);
  t.is(clock.timers, 1);
  await listener.stop();
});

test('a first listen that fails rejects its caller and is not retried', async (t) => {
  const { clock, state, retries, listener } = scene();
  state.broken = BROKEN;
  t.is(await t.throwsAsync(listener.listen()), BROKEN);
  t.deepEqual(retries, []);
  t.is(clock.timers, 0);
});

test('a stopped listener accepts no connections and does not retry', async (t) => {
  const { clock, state, retries, listener, fail, accept } = scene();
  await listener.listen();
  await listener.stop();
  let destroyed = 0;
  accept({ destroy: () => void destroyed++ } as unknown as StreamConnection);
  t.is(destroyed, 1);
  t.is(state.accepted, 0);
  fail();
  t.deepEqual(retries, []);
  t.is(clock.timers, 0);
});

test('a listener that is stopped does not listen, whether it has begun or not', async (t) => {
  const { state, listener } = scene();
  await listener.stop();
  t.is((await t.throwsAsync<TransportError>(listener.listen())).code, 'shutdown');
  t.is(state.tries, 0);
  const other = scene();
  const begun = t.throwsAsync<TransportError>(other.listener.listen());
  await other.listener.stop();
  t.is((await begun).code, 'shutdown');
  t.false(other.listener.listening);
});

test('a foreign error of a retry is reported as unavailable', async (t) => {
  const { state, told, listener, slot, fail } = scene();
  await listener.listen();
  state.broken = new Error('EMFILE');
  fail();
  await slot(5);
  t.is(told[1]!.code, 'unavailable');
  t.is((told[1]!.cause as Error).message, 'EMFILE');
  await listener.stop();
});

test('a listener that is retired while it reports a failure does not listen again', async (t) => {
  const { clock, state, hooks, listener, fail } = scene();
  await listener.listen();
  hooks.broke = () => listener.retire();
  fail();
  t.is(clock.timers, 0);
  t.is(state.tries, 1);
});
