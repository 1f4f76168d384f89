// Tests of multicast: order of answers, end conditions and cancellation.

import {
  bytes,
  type CallOptions,
  defineProtocol,
  json,
  type Target,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { z } from 'zod';
import { type MulticastAnswer, type MulticastOptions, multicast } from './multicast.ts';

const raft = defineProtocol({
  name: 'raft',
  methods: { vote: { id: 1, request: bytes, response: bytes }, hint: { id: 2, request: bytes } },
});
type Vote = MulticastAnswer<Uint8Array<ArrayBuffer>>;

/**
 * Creates a transport whose calls the test answers by hand; an abort rejects them as documented.
 */
function fakeTransport() {
  const calls = new Map<
    string,
    {
      resolve(value: unknown): void;
      reject(error: unknown): void;
      options: CallOptions;
      cancelled: boolean;
    }
  >();
  const send = (target: string, _method: string, _request: unknown, options: CallOptions) =>
    new Promise((resolve, reject) => {
      let settled = false;
      const settle = (how: (value: any) => void) => (value: unknown) => {
        settled = true;
        how(value);
      };
      const call = { resolve: settle(resolve), reject: settle(reject), options, cancelled: false };
      calls.set(target, call);
      const onAbort = () => {
        if (settled) return;
        call.cancelled = true;
        reject(new TransportError('cancelled', 'aborted', { cause: options.signal?.reason }));
      };
      if (options.signal?.aborted) onAbort();
      else options.signal?.addEventListener('abort', onAbort, { once: true });
    });
  const answer = (target: string) =>
    calls.get(target)!.resolve(new Uint8Array([target.charCodeAt(0)]));
  const fail = (
    target: string,
    error: unknown = new TransportError('unavailable', 'gone', { target }),
  ) => calls.get(target)!.reject(error);
  return {
    transport: { send, protocol: raft } as unknown as Transport<typeof raft>,
    calls,
    answer,
    fail,
  };
}

const request = new Uint8Array(1);
const others = ['a', 'b', 'c', 'd'];
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function collect(iterator: AsyncIterable<Vote>): Promise<Vote[]> {
  const answers: Vote[] = [];
  for await (const answer of iterator) answers.push(answer);
  return answers;
}

test('every target is sent to before multicast returns', (t) => {
  const { transport, calls } = fakeTransport();
  multicast(transport, others, 'vote', request);
  t.deepEqual([...calls.keys()], others);
});

test('answers and errors come in order of arrival until all have answered', async (t) => {
  const { transport, answer, fail } = fakeTransport();
  const all = collect(multicast(transport, others, 'vote', request));
  for (const step of [() => answer('c'), () => fail('a'), () => answer('d'), () => answer('b')]) {
    step();
    await settle();
  }
  const answers = await all;
  t.deepEqual(
    answers.map(({ target }) => target),
    ['c', 'a', 'd', 'b'],
  );
  t.is(answers[1]?.error?.code, 'unavailable');
  t.is(answers[1]?.response, undefined);
  t.deepEqual([...answers[0]!.response!], [99]);
});

const ends: [
  name: string,
  until: MulticastOptions<any>['until'],
  targets: string[],
  sequence: string,
  yielded: string,
][] = [
  ['first', 'first', others, '-a +b +c', 'ab'],
  ['a number', 2, others, '+a -b +c +d', 'abc'],
  ['a number above the targets', 9, others, '+a +b +c +d', 'abcd'],
  ['a quorum of five, including the caller', 'quorum', others, '+a -b +c +d', 'abc'],
  ['a quorum of four, including the caller', 'quorum', ['a', 'b', 'c'], '+a +b +c', 'ab'],
  ['a quorum of two, including the caller', 'quorum', ['a'], '+a', 'a'],
  ['a quorum that can no longer be reached', 'quorum', others, '-a -b -c +d', 'abcd'],
  [
    'a function, which is also called after errors',
    (answers) => answers.some(({ error }) => error !== undefined),
    others,
    '+a -b +c',
    'ab',
  ],
  ['all', 'all', others, '+a +b -c +d', 'abcd'],
];
for (const [name, until, targets, sequence, yielded] of ends) {
  test(`a multicast ends as until says: ${name}`, async (t) => {
    const { transport, answer, fail } = fakeTransport();
    const all = collect(multicast(transport, targets, 'vote', request, { until }));
    for (const step of sequence.split(' ')) {
      if (step.startsWith('+')) answer(step.slice(1));
      else fail(step.slice(1));
      await settle();
    }
    t.is((await all).map(({ target }) => target).join(''), yielded);
  });
}

test('unanswered calls are canceled when it ends, or left running', async (t) => {
  for (const rest of ['cancel', 'run'] as const) {
    const { transport, calls, answer } = fakeTransport();
    const all = collect(multicast(transport, others, 'vote', request, { until: 'first', rest }));
    answer('b');
    await all;
    await settle();
    t.deepEqual(
      others.filter((target) => calls.get(target)?.cancelled),
      rest === 'cancel' ? ['a', 'c', 'd'] : [],
    );
  }
});

test('leaving the loop treats the remaining calls as `rest` says', async (t) => {
  for (const rest of [undefined, 'run'] as const) {
    const { transport, calls, answer, fail } = fakeTransport();
    const iterator = multicast(transport, others, 'vote', request, { rest });
    answer('a');
    for await (const _ of iterator) break;
    t.is(calls.get('b')?.cancelled, rest === undefined);
    answer('b');
    fail('c');
    t.true((await iterator.next()).done);
  }
});

test('the calls have the timeout, metadata that is iterated once, and a signal that the outer one ends with its reason', async (t) => {
  const { transport, calls } = fakeTransport();
  const controller = new AbortController();
  const { signal } = controller;
  const metadata = new Map([['tenant', 'x']]).entries();
  const given = { timeout: 77, metadata, signal };
  const all = collect(multicast(transport, others, 'vote', request, given));
  for (const { options } of calls.values()) {
    t.is(options.timeout, 77);
    t.deepEqual({ ...options.metadata }, { tenant: 'x' } as never);
  }
  controller.abort('enough');
  const answers = await all;
  t.is(answers.length, 4);
  t.true(answers.every(({ error }) => error?.code === 'cancelled' && error.cause === 'enough'));
});

test('a signal that has already aborted ends all calls', async (t) => {
  const { transport } = fakeTransport();
  const answers = await collect(
    multicast(transport, others, 'vote', request, { signal: AbortSignal.abort('early') }),
  );
  t.true(answers.every(({ error }) => error?.cause === 'early'));
});

test('listeners on the outer signal are removed with the last call', async (t) => {
  const signal = {
    aborted: false,
    reason: undefined,
    listeners: new Set<unknown>(),
    addEventListener: (_: string, f: unknown) => void signal.listeners.add(f),
    removeEventListener: (_: string, f: unknown) => void signal.listeners.delete(f),
  };
  for (const rest of ['cancel', 'run'] as const) {
    const { transport, answer, fail } = fakeTransport();
    const all = collect(
      multicast(transport, others, 'vote', request, {
        until: 'first',
        rest,
        signal: signal as unknown as AbortSignal,
      }),
    );
    t.is(signal.listeners.size, 1);
    answer('a');
    await all;
    t.is(signal.listeners.size, rest === 'cancel' ? 0 : 1, 'calls that go on can still be aborted');
    for (const target of ['b', 'c', 'd']) fail(target);
    await settle();
    t.is(signal.listeners.size, 0);
  }
});

test('without targets there are no answers', async (t) => {
  const { transport } = fakeTransport();
  for (const until of ['all', 'first', 'quorum', 3] as const)
    t.deepEqual(await collect(multicast(transport, [], 'vote', request, { until })), []);
});

test('misuse throws a TypeError: invalid options at once, an invalid call in the loop', async (t) => {
  const { transport, fail } = fakeTransport();
  for (const until of [0, -1, 1.5, NaN, 'most' as any, null as any])
    t.throws(() => multicast(transport, others, 'vote', request, { until }), {
      instanceOf: TypeError,
      message: /^multicast: until: /,
    });
  t.throws(() => multicast(transport, others, 'vote', request, { untill: 1 } as never), {
    instanceOf: TypeError,
    message: "multicast: untill: unknown option; did you mean 'until'?",
  });
  t.throws(() => multicast(transport, others, 'vote', request, { rest: 'drop' as any }), {
    instanceOf: TypeError,
    message: /^multicast: rest: /,
  });
  const all = collect(multicast(transport, others, 'vote', request));
  fail('b', new TypeError("raft has no method 'vot'"));
  await t.throwsAsync(all, { instanceOf: TypeError, message: /no method/ });
});

test('an `until` that throws ends the loop with its error, and the rest is canceled', async (t) => {
  const { transport, calls, answer } = fakeTransport();
  const until = () => {
    throw new Error('oops');
  };
  const iterator = multicast(transport, others, 'vote', request, { until });
  answer('a');
  t.is((await iterator.next()).value?.target, 'a');
  await t.throwsAsync(iterator.next(), { message: 'oops' });
  t.true((await iterator.next()).done);
  t.true(calls.get('b')?.cancelled);
});

test('several readers of one iterator get each answer once', async (t) => {
  const { transport, answer } = fakeTransport();
  const iterator = multicast(transport, others, 'vote', request, { until: 2 });
  const reads = [iterator.next(), iterator.next(), iterator.next()];
  answer('a');
  answer('b');
  t.deepEqual(
    (await Promise.all(reads)).map(({ value }) => value?.target),
    ['a', 'b', undefined],
  );
});

test('whatever answers in whatever order, each target is yielded at most once and the count is correct', async (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 300; round++) {
    const { transport, answer, fail } = fakeTransport();
    const targets = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, i) =>
      String.fromCharCode(97 + i),
    );
    const needed = 1 + Math.floor(random() * 8);
    const all = collect(multicast(transport, targets, 'vote', request, { until: needed }));
    let expected = 0;
    let responses = 0;
    for (const target of [...targets].sort(() => random() - 0.5)) {
      const ok = random() < 0.6;
      if (responses < needed) {
        expected++;
        if (ok) responses++;
      }
      if (ok) answer(target);
      else fail(target);
    }
    const answers = await all;
    t.is(answers.length, expected);
    t.is(new Set(answers.map(({ target }) => target)).size, expected);
  }
});

// The types of calls. Each line under @ts-expect-error fails the build if the compiler accepts it.

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>) => {};
const votes = defineProtocol({
  name: 'votes',
  methods: {
    requestVote: {
      id: 1,
      request: json(z.object({ term: z.coerce.number<string>() })),
      response: json(z.object({ granted: z.boolean(), at: z.string().default('') })),
    },
    hint: { id: 2, request: bytes },
    fetchBlocks: { id: 3, request: json(z.number()), download: bytes },
  },
});

export async function typesOfMany(transport: Transport<typeof votes>, remote: Target) {
  for await (const { target: from, response, error } of multicast(
    transport,
    ['a', remote],
    'requestVote',
    { term: '1' },
    { until: (answers) => answers.length > 2 },
  )) {
    same<typeof from, Target>(true);
    if (error === undefined) same<typeof response, { granted: boolean; at: string }>(true);
    else same<typeof response, undefined>(true);
  }
  // @ts-expect-error a one-way has no answers
  multicast(transport, ['a'], 'hint', new Uint8Array(1));
  // @ts-expect-error a stream is none
  multicast(transport, ['a'], 'fetchBlocks', 1);
  // @ts-expect-error a wrong request
  multicast(transport, ['a'], 'requestVote', { term: 1 });
}
