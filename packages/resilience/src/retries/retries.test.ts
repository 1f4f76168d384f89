// Tests of retries: the failures after which calls are repeated, the times of the attempts, and the
// results of callers.

import { type ClientCall, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { resilienceMetadata } from '../resilience-metadata.ts';
import { FakeServer, fakeCall, reset, settled, unsent } from '../testing/fake-call.ts';
import { createRetries, type RetriesOptions } from './retries.ts';

const IDEMPOTENT = { idempotent: true, initialBackoff: 100, attempts: 3 };
const HEDGED = { methods: { '*': { idempotent: true, hedgeDelay: 30, attempts: 3 } } };

function setUp(options: RetriesOptions = {}, call: Partial<ClientCall> = {}) {
  const server = new FakeServer();
  const retries = createRetries({ clock: server.clock, random: () => 0.5, ...options });
  const send = (given: Partial<ClientCall> = {}) =>
    server.send(retries.interceptor, fakeCall({ ...call, ...given }));
  return { server, retries, send };
}

test('a call that no handler has seen is repeated at once, then with a back-off', async (t) => {
  const { server, retries, send } = setUp();
  const result = send();
  await server.last.fail(unsent());
  t.is(server.attempts.length, 2, 'the second attempt follows at once');
  t.is(server.last.target, 'orders');
  t.is(server.last.metadata[resilienceMetadata.previousAttempts], '1');
  await server.last.fail(unsent());
  t.is(server.attempts.length, 2);
  await server.advance(12.5);
  t.is(server.attempts.length, 3, 'half of 25 ms, because random returns 0.5');
  await server.last.answer('done');
  t.is(await result, 'done');
  t.is(retries.snapshot().retries, 2);
  t.deepEqual(retries.snapshot().targets, [], 'such attempts cost no tokens');
});

test('a call that a handler may have seen is repeated only if its method is idempotent', async (t) => {
  const { server, send } = setUp({ methods: { 'orders/get': IDEMPOTENT } });
  const put = send({ method: 'put' });
  await server.last.fail(reset());
  await t.throwsAsync(put, { code: 'unavailable', message: 'the connection was reset' });
  t.is(server.attempts.length, 1);

  const get = send();
  await server.last.fail(reset());
  t.is(server.attempts.length, 2);
  await server.advance(49);
  t.is(server.attempts.length, 2);
  await server.advance(1);
  t.is(server.attempts.length, 3);
  await server.last.fail(reset());
  await server.advance(100);
  t.is(server.attempts.length, 4, 'the back-off doubles');
  await server.last.fail(reset());
  await t.throwsAsync(get, { code: 'unavailable' });
  t.is(server.clock.timers, 0);
});

test('errors of the request are not repeated', async (t) => {
  const { server, send } = setUp({ methods: { '*': IDEMPOTENT } });
  for (const error of [
    new TransportError('invalid_argument', 'wrong', { sent: false }),
    new TransportError('resource_exhausted', 'long', { sent: false, reason: 'too_large' }),
    new TransportError('not_found', 'none', { sent: true }),
    new TransportError('deadline_exceeded', 'late', { sent: true }),
    new Error('an interceptor failed'),
  ]) {
    const result = send();
    await server.last.fail(error);
    await t.throwsAsync(result, { is: error });
  }
  t.is(server.attempts.length, 5);
});

test('the most specific policy applies', async (t) => {
  const { server, send } = setUp({
    methods: { '*': { attempts: 1 }, 'orders/*': { attempts: 2 }, 'orders/get': { attempts: 3 } },
  });
  const attemptsOf = async (given: Partial<ClientCall>) => {
    const before = server.attempts.length;
    const result = send(given);
    for (let made = 0; made < server.attempts.length - before; made++) {
      await server.last.fail(unsent());
      await server.advance(1_000);
    }
    await t.throwsAsync(result, { code: 'unavailable' });
    return server.attempts.length - before;
  };
  t.is(await attemptsOf({}), 3);
  t.is(await attemptsOf({ method: 'list' }), 2);
  t.is(await attemptsOf({ protocol: 'users' }), 1);
});

test('no attempt begins at or after the deadline', async (t) => {
  const { server, send } = setUp({ methods: { '*': IDEMPOTENT } });
  const result = send({ deadline: server.clock.now() + 50 });
  await server.last.fail(reset());
  await t.throwsAsync(result, { code: 'unavailable' }, 'a back-off of 50 ms would end too late');
  t.is(server.attempts.length, 1);
  t.is(server.clock.timers, 0);
});

test('the error says whether any attempt may have been handled', async (t) => {
  const { server, send } = setUp({ methods: { '*': { ...IDEMPOTENT, attempts: 2 } } });
  const result = send();
  await server.last.fail(reset());
  await server.advance(100);
  await server.last.fail(unsent());
  const error = await t.throwsAsync<TransportError>(result);
  t.true(error.sent);
  t.is(error.reason, 'connection_refused');
  t.regex(error.message, /nothing listens; an earlier attempt may have been handled/);
});

test('the throttle stops retries at half of its tokens, and successes refill it', async (t) => {
  const { server, retries, send } = setUp({
    methods: { '*': { idempotent: true, attempts: 2 } },
    throttle: { tokens: 4, ratio: 0.5 },
  });
  const tokens = () => retries.snapshot().targets[0]!.tokens;
  const failing = async () => {
    const before = server.attempts.length;
    const result = send();
    await server.last.fail(reset());
    await server.advance(25);
    if (server.attempts.length > before + 1) await server.last.fail(reset());
    await t.throwsAsync(result);
    return server.attempts.length - before;
  };
  t.is(await failing(), 2);
  t.is(tokens(), 2);
  t.is(await failing(), 2, 'the retry of the floor');
  t.is(tokens(), 0);
  t.is(await failing(), 1, 'no retry any more');
  t.is(retries.snapshot().throttled, 1);
  for (let n = 0; n < 7; n++) {
    const result = send();
    await server.last.answer('done');
    await result;
  }
  t.is(tokens(), 3.5);
  t.is(await failing(), 2);
});

test('each target has a bucket, so a failing service stops no retries of another', async (t) => {
  const { server, retries, send } = setUp({
    methods: { '*': IDEMPOTENT },
    throttle: { tokens: 2 },
  });
  for (let n = 0; n < 3; n++) {
    const failed = send({ target: 'broken' });
    await server.last.fail(reset());
    await server.advance(50);
    if (n === 0) await server.last.fail(reset());
    await t.throwsAsync(failed);
  }
  t.deepEqual(retries.snapshot().targets, [{ target: 'broken', tokens: 0 }]);
  const result = send({ target: 'healthy' });
  await server.last.fail(reset());
  await server.advance(50);
  await server.last.answer('done');
  t.is(await result, 'done');
});

test('each target has a retry a second without tokens, and all together have ten', async (t) => {
  const { server, retries, send } = setUp({
    methods: { '*': { ...IDEMPOTENT, attempts: 2 } },
    throttle: { tokens: 1 },
  });
  /** Returns true if a call to a target is repeated. */
  const isRepeated = async (target: string) => {
    const before = server.attempts.length;
    const result = send({ target });
    await server.last.fail(reset());
    await server.advance(50);
    const isSo = server.attempts.length > before + 1;
    if (isSo) await server.last.fail(reset());
    await t.throwsAsync(result);
    return isSo;
  };
  t.true(await isRepeated('a'), 'the floor');
  t.false(await isRepeated('a'), 'within the same second');
  await server.advance(1_000);
  t.true(await isRepeated('a'));
  await server.advance(1_000);
  // In less than a second.
  let repeated = 0;
  for (let n = 0; n < 14; n++) if (await isRepeated(`target-${n}`)) repeated++;
  t.is(repeated, 10);
  t.is(retries.snapshot().throttled, 5);
  await server.advance(2_000);
  const late = send({ target: 'a' });
  await server.last.fail(new TransportError('resource_exhausted', 'busy', { sent: false }));
  await t.throwsAsync(late, { message: 'busy' }, 'the floor feeds no overload');
});

test('the table of buckets is bounded, and full buckets are forgotten', async (t) => {
  const { server, retries, send } = setUp({ methods: { '*': { ...IDEMPOTENT, attempts: 1 } } });
  for (let n = 0; n < 1_002; n++) {
    const result = send({ target: `target-${n}` });
    await server.last.fail(reset());
    await t.throwsAsync(result);
  }
  t.is(retries.snapshot().targets.length, 1_000);
  for (let n = 0; n < 11; n++) {
    const result = send({ target: 'target-900' });
    await server.last.answer('done');
    await result;
  }
  t.is(retries.snapshot().targets.length, 999);
});

test('with infinite attempts, a call is repeated until its deadline, even without tokens', async (t) => {
  const { server, retries, send } = setUp({
    methods: { '*': { idempotent: true, attempts: Number.POSITIVE_INFINITY } },
    throttle: { tokens: 1 },
  });
  const result = send({ deadline: server.clock.now() + 30_000 });
  const began = server.clock.now();
  while (server.clock.now() < began + 25_000) {
    await server.last.fail(reset());
    await server.advance(100);
  }
  for (const { length } = server.attempts; server.attempts.length === length; )
    await server.advance(100);
  t.true(server.attempts.length > 20, `${server.attempts.length} attempts`);
  t.true(server.attempts.length < 40, 'one a second');
  await server.last.answer('at last');
  t.is(await result, 'at last');
  t.true(retries.snapshot().throttled > 0);
  const late = send({ deadline: server.clock.now() + 200 });
  await server.last.fail(reset());
  await server.advance(200);
  await t.throwsAsync(late, { message: 'the connection was reset' });
  t.is(server.clock.timers, 0);
});

test('overloaded servers are retried with a back-off, and cost tokens', async (t) => {
  const { server, retries, send } = setUp();
  const result = send({ method: 'put' });
  await server.last.fail(
    new TransportError('resource_exhausted', 'busy', { sent: false, origin: 'remote' }),
  );
  t.is(server.attempts.length, 1);
  t.deepEqual(retries.snapshot().targets, [{ target: 'orders', tokens: 9 }]);
  await server.advance(12.5);
  await server.last.answer('done');
  t.is(await result, 'done');
});

test('a server decides when a call is repeated, or that it is not', async (t) => {
  const { server, retries, send } = setUp({ methods: { '*': IDEMPOTENT } });
  const pushedBack = (value: string) =>
    new TransportError('unavailable', 'later', {
      sent: true,
      origin: 'remote',
      metadata: { [resilienceMetadata.retryPushback]: value },
    });
  const first = send();
  await server.last.fail(pushedBack('700'));
  await server.advance(699);
  t.is(server.attempts.length, 1);
  await server.advance(1);
  t.is(server.attempts.length, 2);
  await server.last.answer('done');
  t.is(await first, 'done');

  for (const value of ['-1', 'soon', '1.5']) {
    const result = send();
    await server.last.fail(pushedBack(value));
    await t.throwsAsync(result, { message: 'later' });
  }
  t.is(server.attempts.length, 5);
  t.is(retries.snapshot().pushbacks, 3);
});

test('a hedge is sent after a delay, and the loser is canceled', async (t) => {
  const { server, retries, send } = setUp(HEDGED);
  const result = send();
  await server.advance(29);
  t.is(server.attempts.length, 1);
  await server.advance(1);
  t.is(server.attempts.length, 2);
  t.is(server.last.metadata[resilienceMetadata.previousAttempts], '1');
  await server.last.answer('second');
  t.is(await result, 'second');
  t.true(server.attempts[0]!.signal!.aborted);
  t.false(server.attempts[1]!.signal!.aborted);
  t.is(server.clock.timers, 0);
  t.like(retries.snapshot(), { hedges: 1, retries: 0, calls: 1 });
  t.is(
    retries.snapshot().targets[0]?.tokens,
    9.1,
    'a hedge takes a token, a success returns a tenth',
  );
});

test('a hedge takes the place of an attempt that fails, and the last failure counts', async (t) => {
  const { server, send } = setUp(HEDGED);
  const result = send();
  await server.advance(30);
  await server.attempts[0]!.fail(reset());
  t.is(server.attempts.length, 3, 'the third attempt follows at once');
  await server.attempts[1]!.fail(reset());
  await server.attempts[2]!.fail(reset());
  await t.throwsAsync(result, { code: 'unavailable' });
  t.is(server.clock.timers, 0);
});

test('with infinite attempts, hedges that fail are repeated with a back-off', async (t) => {
  const attempts = Number.POSITIVE_INFINITY;
  const { server, send } = setUp({
    methods: { '*': { idempotent: true, hedgeDelay: 30, attempts } },
  });
  const result = send();
  await server.advance(30);
  for (const delay of [12.5, 25, 50]) {
    const { length } = server.attempts;
    await server.last.fail(unsent());
    t.is(server.attempts.length, length);
    await server.advance(delay);
    t.is(server.attempts.length, length + 1);
  }
  await server.attempts[0]!.answer('done');
  t.is(await result, 'done');
  t.is(server.clock.timers, 0);
});

test('a fatal error ends all attempts of a hedged call', async (t) => {
  const { server, send } = setUp(HEDGED);
  const result = send();
  await server.advance(30);
  await server.attempts[1]!.fail(new TransportError('not_found', 'none', { sent: true }));
  await t.throwsAsync(result, { code: 'not_found' });
  t.true(server.attempts[0]!.signal!.aborted);
  t.is(server.clock.timers, 0);
});

test('a server that asks for no repetition gets no further hedge', async (t) => {
  const { server, send } = setUp(HEDGED);
  const result = send();
  await server.advance(30);
  const metadata = { [resilienceMetadata.retryPushback]: '-1' };
  await server.attempts[0]!.fail(
    new TransportError('unavailable', 'never', { sent: true, metadata }),
  );
  await server.advance(1_000);
  t.is(server.attempts.length, 2, 'the third one is not sent');
  await server.attempts[1]!.answer('done');
  t.is(await result, 'done', 'the second one goes on');
  t.is(server.clock.timers, 0);
});

test('a call whose signal was aborted before makes no attempt that goes on', async (t) => {
  const { server, send } = setUp(HEDGED);
  const signal = AbortSignal.abort(new Error('enough'));
  void send({ signal });
  t.true(server.last.signal!.aborted);
});

test('hedges stop while calls fail', async (t) => {
  const { server, retries, send } = setUp({
    methods: { '*': { idempotent: true, hedgeDelay: 30, attempts: 2 } },
    throttle: { tokens: 2 },
  });
  const failed = send();
  await server.last.fail(reset());
  await server.advance(1_000);
  await server.last.fail(reset());
  await t.throwsAsync(failed);
  const result = send();
  await server.advance(30);
  t.is(server.attempts.length, 3, 'no hedge');
  await server.last.answer('done');
  t.is(await result, 'done');
  t.is(retries.snapshot().throttled, 1);
});

test('an attempt that takes too long is canceled and repeated', async (t) => {
  const { server, send } = setUp({
    methods: { '*': { idempotent: true, attemptTimeout: 200, attempts: 2 } },
  });
  const result = send();
  await server.advance(200);
  t.true(server.attempts[0]!.signal!.aborted);
  await server.advance(25);
  t.is(server.attempts.length, 2);
  await server.advance(200);
  const error = await t.throwsAsync<TransportError>(result, { code: 'deadline_exceeded' });
  t.regex(error.message, /orders\/get: attempt 2 took longer than 200 ms \(attemptTimeout\)/);
  t.is(server.clock.timers, 0);
});

test('a caller that cancels ends the back-off, and all attempts', async (t) => {
  const { server, send } = setUp({
    methods: { '*': IDEMPOTENT, 'orders/hedged': { idempotent: true, hedgeDelay: 30 } },
  });
  const controller = new AbortController();
  const waiting = send({ signal: controller.signal });
  await server.last.fail(reset());
  const hedged = send({ signal: controller.signal, method: 'hedged' });
  await server.advance(30);
  t.is(server.attempts.length, 3);
  controller.abort(new Error('enough'));
  await settled();
  const error = await t.throwsAsync<TransportError>(waiting, { code: 'cancelled' });
  t.true(error.sent);
  t.is((error.cause as Error).message, 'enough');
  await t.throwsAsync(hedged, { code: 'cancelled' });
  t.true(server.attempts.slice(1).every(({ signal }) => signal!.aborted));
  t.is(server.clock.timers, 0);
});

test('invalid options of retries throw TypeErrors that name them', (t) => {
  t.throws(() => createRetries({ methods: { get: {} } }), {
    instanceOf: TypeError,
    message: "createRetries: methods: 'get' must be 'protocol/method', 'protocol/*' or '*'",
  });
  t.throws(() => createRetries({ methods: { '*': { hedgeDelay: 5 } } }), {
    message: /hedgeDelay and attemptTimeout .* need idempotent: true/,
  });
  t.throws(() => createRetries({ methods: { '*': { attempts: 11 } } }), {
    message: /methods\['\*'\]: attempts: must be an integer from 1 to 10, or Infinity, got 11/,
  });
  t.throws(() => createRetries({ throttle: { tokens: 0 } }), { message: /throttle\.tokens/ });
});
