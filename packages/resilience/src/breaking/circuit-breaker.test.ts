// Tests of circuit breakers.

import type { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { FakeServer, fakeCall, reset } from '../testing/fake-call.ts';
import { type CircuitEvent, createCircuitBreaker } from './circuit-breaker.ts';
import { RollingWindow } from './rolling-window.ts';

function setUp() {
  const server = new FakeServer();
  const events: CircuitEvent[] = [];
  const breaker = createCircuitBreaker({
    clock: server.clock,
    random: () => 0,
    minCalls: 4,
    onEvent: (event) => events.push(event),
  });
  const send = async (isFailure: boolean, target = 'a:1') => {
    const result = server.send(breaker.interceptor, fakeCall({ target }));
    await (isFailure ? server.last.fail(reset()) : server.last.answer('done'));
    return result.catch((error) => error);
  };
  const refused = (target = 'a:1') =>
    server.send(breaker.interceptor, fakeCall({ target })).catch((error) => error);
  const states = () => events.map(({ state }) => state).join(' ');
  return { server, breaker, send, refused, events, states };
}

test('a circuit opens when half of the calls of its window fail', async (t) => {
  const { server, breaker, send, refused, events } = setUp();
  for (const isFailure of [false, false, true]) await send(isFailure);
  t.deepEqual(events, [], 'three calls are too few');
  await send(true);
  t.deepEqual(events, [{ key: 'a:1', state: 'open' }]);
  const attempts = server.attempts.length;
  const error = (await refused()) as TransportError;
  t.is(error.code, 'unavailable');
  t.false(error.sent);
  t.regex(error.message, /the circuit of 'a:1' is open, .* possible in 5000 ms/);
  t.is(server.attempts.length, attempts, 'nothing was sent');
  t.is(await send(false, 'b:1'), 'done', 'another target has a circuit of its own');
  t.deepEqual(
    breaker.snapshot().map(({ key, state, calls, failures }) => [key, state, calls, failures]),
    [
      ['a:1', 'open', 4, 2],
      ['b:1', 'closed', 1, 0],
    ],
  );
});

test('failures that are older than the window do not count', async (t) => {
  const { server, send, events } = setUp();
  for (let n = 0; n < 3; n++) await send(true);
  await server.advance(11_000);
  await send(true);
  t.deepEqual(events, []);
});

test('an open circuit lets probes through, and closes if they succeed', async (t) => {
  const { server, breaker, send, states } = setUp();
  for (let n = 0; n < 4; n++) await send(true);
  await server.advance(5_000);
  const probes = [1, 2, 3].map(() => server.send(breaker.interceptor, fakeCall({ target: 'a:1' })));
  const fourth = server.send(breaker.interceptor, fakeCall({ target: 'a:1' }));
  await t.throwsAsync(fourth, { message: /half-open, .* its probes are pending/ });
  for (const attempt of server.attempts.slice(-3)) await attempt.answer('done');
  await Promise.all(probes);
  t.is(states(), 'open half-open closed');
  await send(true);
  t.is(states(), 'open half-open closed', 'the window begins anew');
});

test('a probe that fails opens the circuit again, and a late answer does not count', async (t) => {
  const { server, send, refused, states } = setUp();
  const early = refused();
  const late = server.last;
  for (let n = 0; n < 4; n++) await send(true);
  await server.advance(5_000);
  const probed = refused();
  const probe = server.last;
  await late.fail(reset());
  t.is(states(), 'open half-open');
  await probe.fail(reset());
  t.is(states(), 'open half-open open');
  await Promise.all([early, probed]);
});

test('errors of the request and canceled calls do not open a circuit', async (t) => {
  const { server, breaker, events } = setUp();
  for (let n = 0; n < 8; n++) {
    const controller = new AbortController();
    const call = fakeCall({ target: 'a:1', signal: controller.signal });
    const result = server.send(breaker.interceptor, call);
    controller.abort();
    await t.throwsAsync(result, { code: 'cancelled' });
  }
  t.deepEqual(events, []);
  t.is(breaker.snapshot()[0]!.calls, 0);
});

test('a rolling window drops old calls slice by slice', (t) => {
  const window = new RollingWindow(1_000, 0);
  for (let n = 0; n < 10; n++) window.record(n % 2 === 0, n * 100);
  t.deepEqual([window.calls, window.failures], [10, 5]);
  window.advance(1_000);
  t.deepEqual([window.calls, window.failures], [9, 4]);
  window.advance(1_450);
  t.is(window.calls, 5);
  window.advance(60_000);
  t.deepEqual([window.calls, window.failures], [0, 0]);
});

test('probes that do not end within openFor make room for others', async (t) => {
  const { server, send, refused, states } = setUp();
  for (let n = 0; n < 4; n++) await send(true);
  await server.advance(5_000);
  for (let n = 0; n < 3; n++) void refused();
  await server.advance(4_999);
  t.like(await refused(), { code: 'unavailable' });
  await server.advance(1);
  for (let n = 0; n < 3; n++) t.is(await send(false), 'done');
  t.is(states(), 'open half-open closed');
});

test('an error counts as a failure if isFailure throws, or an inner interceptor throws it', async (t) => {
  const isFailure = () => {
    throw new Error('a bug');
  };
  const breaker = createCircuitBreaker({ isFailure });
  const send = breaker.interceptor(() => {
    throw new TypeError('the name has no port');
  });
  await t.throwsAsync(async () => send(fakeCall()), { message: 'the name has no port' });
  t.like(breaker.snapshot()[0], { calls: 1, failures: 1 });
});

test('a download counts when its items end', async (t) => {
  const { server, breaker } = setUp();
  const download = async (items: AsyncIterable<number>, given = {}) => {
    const call = fakeCall({ target: 'a:1', kind: 'download', ...given });
    const result = server.send(breaker.interceptor, call);
    await server.last.answer(items);
    return (await result) as AsyncIterableIterator<number>;
  };
  const lost = await download(
    (async function* () {
      yield 1;
      throw reset();
    })(),
  );
  await lost.next();
  t.like(breaker.snapshot()[0], { calls: 0, failures: 0 });
  await t.throwsAsync(lost.next(), { code: 'unavailable' });
  t.like(breaker.snapshot()[0], { calls: 1, failures: 1 });
  await lost.return?.();
  t.is(breaker.snapshot()[0]!.calls, 1);
  const left = await download((async function* () {})());
  await left.return?.();
  t.like(breaker.snapshot()[0], { calls: 2, failures: 1 });
});
