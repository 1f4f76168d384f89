// Tests of running handlers: order, concurrency, answers and errors.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { pluck } from '../testing/pluck.ts';
import { type AnyHandler, Serving, type ServingOptions, toTransportError } from './rpc.ts';
import { InboxFixture, inbox } from './testing/inbox-fixture.ts';

const byte = (number: number) => new Uint8Array([number]);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function serve(
  fixture: InboxFixture,
  handlers: Record<string, AnyHandler>,
  options: Partial<ServingOptions> = {},
): Serving {
  return new Serving(fixture.inbox, new Map(Object.entries(handlers)), {
    concurrency: Number.POSITIVE_INFINITY,
    toError: toTransportError,
    ...options,
  });
}

/** Makes a handler whose calls wait until the test answers them. */
function gate() {
  const waiting: { number: number; go(value?: unknown): void; fail(error: unknown): void }[] = [];
  const handler: AnyHandler = (request) =>
    new Promise(
      (resolve, reject) =>
        void waiting.push({
          number: (request as Uint8Array)[0]!,
          go: (value = byte(0)) => resolve(value),
          fail: reject,
        }),
    );
  return { waiting, handler };
}

test('a handler that returns has answered before the next one runs', (t) => {
  const { fixture, a } = inbox();
  const seen: string[] = [];
  serve(fixture, {
    ask: (request) => {
      seen.push(`${a.answers.length} answered`);
      return request;
    },
  });
  a.send('ask', byte(1));
  a.send('ask', byte(2));
  t.deepEqual(a.answers, ['ask 3 = 1', 'ask 5 = 2']);
  t.deepEqual(seen, ['0 answered', '1 answered']);
  t.is(a.running, 0);
});

test('at most as many handlers run at once as concurrency allows; the rest waits in order', async (t) => {
  const { fixture, a } = inbox();
  const { waiting, handler } = gate();
  serve(fixture, { ask: handler }, { concurrency: 2 });
  for (let i = 1; i <= 5; i++) a.send('ask', byte(i));
  t.is(waiting.length, 2);
  t.is(fixture.inbox.waiting, 3);
  waiting[1]!.go();
  await turn();
  t.deepEqual(pluck(waiting, 'number'), [1, 2, 3]);
  waiting[0]!.fail(new Error('no'));
  await turn();
  t.is(waiting.length, 4);
  for (const { go } of waiting) go();
  await turn();
  waiting[4]!.go();
  await turn();
  t.is(a.answers.length, 5);
  t.is(fixture.inbox.waiting, 0);
});

test('10,000 calls that wait for a synchronous handler are served in a loop, not by recursion', (t) => {
  const fixture = new InboxFixture();
  const connections = Array.from({ length: 100 }, (_, i) => fixture.connection(String(i)));
  for (const connection of connections) for (let i = 0; i < 100; i++) connection.send('ask');
  t.is(fixture.inbox.waiting, 10_000);
  serve(fixture, { ask: (request) => request }, { concurrency: 1 });
  t.is(fixture.inbox.waiting, 0);
  t.true(connections.every(({ answers }) => answers.length === 100));
});

test('a TransportError is sent unchanged, any other error as internal with its message', async (t) => {
  const { fixture, a } = inbox();
  const seen: TransportError[] = [];
  a.fail = (_call, error) => seen.push(error) > 0;
  const throws = [
    new TransportError('not_found', 'no such block', { metadata: { height: '7' } }),
    new Error('boom'),
    'text',
    undefined,
    {
      toString: () => {
        throw new Error('twice');
      },
    },
  ];
  let next = 0;
  serve(fixture, {
    ask: () => {
      throw throws[next++];
    },
    other: async () => {
      throw throws[next++];
    },
  });
  for (const _ of throws) a.send('ask');
  next = 0;
  for (const _ of throws) a.send('other');
  await turn();
  const told = seen.map(({ code, message }) => `${code}: ${message}`);
  t.deepEqual(told.slice(0, 5), [
    'not_found: no such block',
    'internal: boom',
    'internal: text',
    'internal: undefined',
    'internal: the handler failed',
  ]);
  t.deepEqual(told.slice(5), told.slice(0, 5));
  t.deepEqual(seen[0]!.metadata, { height: '7' });
});

test('a result whose then throws fails its call as the handler does, and the next call is served', async (t) => {
  const { fixture, a } = inbox();
  for (const number of [0, 1, 2]) a.send('ask', byte(number));
  const results = [
    Object.defineProperty({}, 'then', {
      get() {
        throw new Error('no then');
      },
    }),
    {
      then() {
        throw new Error('no callbacks');
      },
    },
    byte(9),
  ];
  serve(fixture, { ask: (request) => results[(request as Uint8Array)[0]!] }, { concurrency: 1 });
  await turn();
  t.deepEqual(a.answers, ['ask 3 ! internal', 'ask 5 ! internal', 'ask 7 = 9']);
  t.is(a.running, 0);
});

test('toError may hide details; one that throws hides all', (t) => {
  const { fixture, a } = inbox();
  const messages: string[] = [];
  a.fail = (_call, error) => messages.push(error.message) > 0;
  let breaks = false;
  const toError = () => {
    if (breaks) throw new Error('secret too');
    return new TransportError('internal', 'sorry');
  };
  serve(
    fixture,
    {
      ask: () => {
        throw new Error('secret');
      },
    },
    { toError },
  );
  a.send('ask');
  breaks = true;
  a.send('ask');
  t.deepEqual(messages, ['sorry', 'the handler failed']);
  t.is(fixture.failures.length, 1);
});

test('rpc.respond answers, and the return value of the handler is ignored', async (t) => {
  const { fixture, a } = inbox();
  serve(fixture, {
    ask: (_request, rpc) => void rpc.respond(byte(9)),
    other: async (_request, rpc) => {
      rpc.fail(new Error('early'));
      throw new Error('late');
    },
  });
  a.send('ask');
  a.send('other');
  await turn();
  t.deepEqual(a.answers, ['ask 3 = 9', 'other 5 ! internal']);
  t.is(fixture.failures.length, 1);
});

test('a server that a rule stops does not run the handler', (t) => {
  const { fixture, a } = inbox();
  const handler = () => t.fail();
  const allow = () => serving.stop() !== undefined;
  const serving = serve(fixture, { ask: handler, tell: handler }, { allow });
  a.send('ask');
  t.deepEqual(a.answers, ['ask 3 ! unimplemented (unprocessed)']);
});

test('stop accepts no more calls, waits for running ones, and leaves the rest to others', async (t) => {
  const { fixture, a } = inbox();
  const { waiting, handler } = gate();
  const serving = serve(fixture, { ask: handler }, { concurrency: 1 });
  a.send('ask', byte(1));
  a.send('ask', byte(2));
  let stopped = false;
  const stop = serving.stop().then(() => {
    stopped = true;
  });
  await turn();
  t.false(stopped);
  waiting[0]!.go();
  await stop;
  t.is(waiting.length, 1);
  t.is(fixture.inbox.waiting, 1);
  await serving.stop();
  serve(fixture, { ask: (request) => request });
  t.deepEqual(a.answers, ['ask 3 = 0', 'ask 5 = 2']);
});

test('calls that wait for a stopped handler fail with unimplemented if other readers exist that do not take them', async (t) => {
  const { fixture, a } = inbox();
  const { handler } = gate();
  const serving = serve(fixture, { ask: handler }, { concurrency: 1 });
  serve(fixture, { other: handler }, { concurrency: 1 });
  for (const name of ['ask', 'ask', 'other', 'other'] as const) a.send(name);
  void serving.stop();
  t.deepEqual(a.answers, ['ask 5 ! unimplemented (unprocessed)']);
  t.is(fixture.inbox.waiting, 1);
});

test('after the grace of a stop running calls fail, and their late answers are ignored', async (t) => {
  const { fixture, a } = inbox();
  const { waiting, handler } = gate();
  const serving = serve(fixture, { ask: handler });
  a.send('ask', byte(1));
  const stop = serving.stop();
  serving.failRunning(new TransportError('unavailable', 'stopped'));
  t.deepEqual(a.answers, ['ask 3 ! unavailable']);
  waiting[0]!.go();
  await stop;
  t.deepEqual(a.answers, ['ask 3 ! unavailable']);
});

test('a download that returns an iterable is written item by item, and its source is returned when the caller leaves', async (t) => {
  const { fixture, a } = inbox();
  const written: number[] = [];
  let cleaned = 0;
  serve(fixture, {
    get: async function* () {
      try {
        for (let i = 0; ; i++) yield byte(i);
      } finally {
        cleaned++;
      }
    },
  });
  const call = a.call('get');
  const rooms: (() => void)[] = [];
  call.widen();
  call.download = {
    write: (payload: Uint8Array) => {
      written.push(payload[0]!);
      return new Promise<void>((resolve) => rooms.push(resolve));
    },
  } as never;
  fixture.inbox.arrive(call);
  await turn();
  t.deepEqual(written, [0]);
  rooms[0]!();
  await turn();
  t.deepEqual(written, [0, 1]);
  call.open = false;
  call.cancelled?.(new TransportError('cancelled', 'gone'));
  rooms[1]!();
  await turn();
  t.is(cleaned, 1);
  t.is(a.running, 0);
  t.deepEqual(written, [0, 1]);
});

/** Items whose `return` is counted and whose first item never comes. */
function hanging() {
  const source = {
    left: 0,
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => {
        source.left++;
        return Promise.resolve({ value: undefined, done: true as const });
      },
    }),
  };
  return source;
}

test('after the grace of a stop a source that hangs is returned, and its signal aborts', async (t) => {
  const { fixture, a } = inbox();
  const source = hanging();
  const reasons: unknown[] = [];
  const serving = serve(fixture, {
    get: (_, rpc) => {
      rpc.signal.addEventListener('abort', () => reasons.push(rpc.signal.reason));
      return source;
    },
  });
  a.send('get');
  void serving.stop();
  const stopped = new TransportError('unavailable', 'stopped');
  serving.failRunning(stopped);
  t.is(source.left, 1);
  t.deepEqual(reasons, [stopped]);
  t.deepEqual(a.answers, ['get 3 ! unavailable']);
});

test('items that a handler returns after it has answered are returned unread', async (t) => {
  const { fixture, a } = inbox();
  const source = hanging();
  serve(fixture, {
    get: async (_, rpc) => {
      rpc.fail(new TransportError('aborted', 'changed its mind'));
      return source;
    },
  });
  a.send('get');
  await turn();
  t.is(source.left, 1);
  t.is(a.running, 0);
  t.deepEqual(a.answers, ['get 3 ! aborted']);
});

test('a source that cannot be iterated answers with its error', async (t) => {
  const { fixture, a } = inbox();
  const serving = serve(fixture, {
    get: () => ({
      [Symbol.asyncIterator]() {
        throw new TransportError('data_loss', 'torn');
      },
    }),
  });
  a.send('get');
  await turn();
  t.deepEqual(a.answers, ['get 3 ! data_loss']);
  await serving.stop();
});
