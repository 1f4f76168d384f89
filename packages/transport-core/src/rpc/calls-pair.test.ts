// Tests of all kinds of calls between two sessions, from the view of callers and handlers:
// promises, iterables, signals and deadlines.

import { getEventListeners } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { TransportError, withDetails } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import { Memory } from '../session/memory.ts';
import { SIGNAL } from '../session/session-context.ts';
import { pick } from '../session/testing/pair.ts';
import type { Call } from './call.ts';
import type { RespondingRpc, StreamingRpc } from './rpc.ts';
import type { AnyHandler } from './serving.ts';
import {
  type Bytes,
  CallFixture,
  type Name,
  type Options,
  protocol,
  turn,
} from './testing/call-fixture.ts';

const error = async (call: Call<unknown>) =>
  (await call.promise.then(
    () => undefined,
    (failure: unknown) => failure,
  )) as TransportError;
const items = (call: Call<unknown>) => call.promise as Promise<AsyncIterableIterator<Uint8Array>>;
async function* upload(...numbers: number[]): AsyncGenerator<Uint8Array> {
  for (const number of numbers) yield new Uint8Array([number]);
}
const one = (number: number): Bytes => new Uint8Array([number]);

test('a unary call resolves to its response', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: (request) => one((request as Uint8Array)[0]! + 1) });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(4));
  await fixture.rest();
  t.deepEqual(await call.promise, one(5));
  t.deepEqual(fixture.settled, ['fine']);
});

test('an error thrown by a handler becomes the caller’s error: remote, sent, with its target', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    ask: () => {
      throw new TransportError('not_found', 'no such', { metadata: { leader: 'b' } });
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(4));
  await fixture.rest();
  const { code, message, origin, sent, target, metadata, cause } = await error(call);
  t.deepEqual(
    [code, message, origin, sent, target, { ...metadata }, cause],
    ['not_found', 'no such', 'remote', true, 'there', { leader: 'b' }, undefined],
  );
});

test('a call whose signal aborts is canceled with its reason as the cause, and leaves no listener', async (t) => {
  const fixture = new CallFixture();
  let seen: AbortSignal | undefined;
  fixture.serve(fixture.pair.acceptor, {
    ask: (_request, rpc) => {
      seen = rpc.signal;
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const call = fixture.call(fixture.pair.dialer, 'ask', one(1), { signal: controller.signal });
  await fixture.rest();
  controller.abort('enough');
  const { code, cause, sent } = await error(call);
  t.deepEqual([code, cause, sent], ['cancelled', 'enough', true]);
  await fixture.rest();
  t.true(seen!.aborted);
  t.is(getEventListeners(controller.signal, 'abort').length, 0);
});

test('an error of a deadline says how far the call got', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: () => new Promise(() => {}) });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(1), { timeout: 50 });
  await fixture.rest();
  fixture.pair.pass(50);
  const { code, message } = await error(call);
  t.is(code, 'deadline_exceeded');
  t.regex(message, /calls\.ask to there: 50 ms passed; no response arrived/);
});

test('an upload is read to its end and answered', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    give: async (_request, rpc) => {
      let sum = 0;
      for await (const item of rpc.upload!) sum += (item as Uint8Array)[0]!;
      return one(sum);
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: upload(1, 2, 3) });
  await fixture.rest();
  t.deepEqual(await call.promise, one(6));
});

test('an upload is read from its source only as fast as the handler reads it', async (t) => {
  const fixture = new CallFixture();
  let pulled = 0;
  const release: (() => void)[] = [];
  fixture.serve(fixture.pair.acceptor, {
    give: async (_request, rpc) => {
      await new Promise<void>((resolve) => release.push(resolve));
      for await (const _ of rpc.upload!);
      return one(1);
    },
  });
  async function* endless() {
    for (; pulled < 1_000; pulled++) yield new Uint8Array(1_000);
  }
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: endless() });
  await fixture.rest();
  t.true(pulled < 20, String(pulled));
  release[0]!();
  for (let i = 0; i < 300; i++) await fixture.rest();
  t.deepEqual(await call.promise, one(1));
});

test('an upload that throws ends the call with aborted and its cause, at both ends', async (t) => {
  const fixture = new CallFixture();
  let failure: unknown;
  fixture.serve(fixture.pair.acceptor, {
    give: async (_request, rpc) => {
      try {
        for await (const _ of rpc.upload!);
      } catch (thrown) {
        failure = thrown;
      }
    },
  });
  const cause = new Error('disk');
  async function* broken() {
    yield one(1);
    throw cause;
  }
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: broken() });
  await fixture.rest();
  const thrown = await error(call);
  t.deepEqual([thrown.code, thrown.cause], ['aborted', cause]);
  t.is((failure as TransportError).code, 'cancelled');
});

test('an answer before the end of the upload returns its iterator', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { give: () => one(9) });
  let returned = 0;
  async function* endless() {
    try {
      for (;;) yield new Uint8Array(100);
    } finally {
      returned++;
    }
  }
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: endless() });
  for (let i = 0; i < 5; i++) await fixture.rest();
  t.deepEqual(await call.promise, one(9));
  t.is(returned, 1);
});

test('a download is read in order, to its end', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    get: async function* () {
      for (let i = 1; i <= 5; i++) yield one(i);
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  const read: number[] = [];
  for await (const item of await items(call)) read.push(item[0]!);
  t.deepEqual(read, [1, 2, 3, 4, 5]);
  t.deepEqual(fixture.settled, ['fine']);
});

test('a failed download yields the complete items, then its error', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    get: async function* () {
      yield one(1);
      yield one(2);
      throw new TransportError('data_loss', 'torn');
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  const read: number[] = [];
  const thrown = (await t.throwsAsync(async () => {
    for await (const item of await items(call)) read.push(item[0]!);
  })) as TransportError;
  t.deepEqual(read, [1, 2]);
  t.deepEqual(
    [thrown.code, thrown.origin, thrown.target, thrown.sent],
    ['data_loss', 'remote', 'there', true],
  );
});

test('leaving the loop of a download cancels it at the callee', async (t) => {
  const fixture = new CallFixture();
  let returned = 0;
  fixture.serve(fixture.pair.acceptor, {
    get: async function* () {
      try {
        for (;;) yield one(1);
      } finally {
        returned++;
      }
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  for await (const _ of await items(call)) break;
  await fixture.rest();
  t.is(returned, 1);
  t.is(fixture.pair.dialer.session.parts.caller.slots.size, 0);
  t.is(fixture.pair.dialer.memory.used, 0);
});

test('a refusal of a download rejects the first next()', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: () => one(1) });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  const reader = await items(call);
  const thrown = (await t.throwsAsync(reader.next())) as TransportError;
  t.deepEqual([thrown.code, thrown.sent], ['unimplemented', false]);
  t.true((await reader.next()).done);
});

test('the timeout of a method limits each wait of a stream, that of a call the whole, and a default neither', async (t) => {
  for (const [name, own, expected] of [
    ['steady', false, ['item', 'item', 'item', 'deadline_exceeded']],
    ['steady', true, ['item', 'deadline_exceeded', 'done', 'done']],
    ['get', true, ['item', 'deadline_exceeded', 'done', 'done']],
    ['get', false, ['item', 'item', 'item', 'item']],
  ] as const) {
    const fixture = new CallFixture();
    const writers: StreamingRpc[] = [];
    fixture.serve(fixture.pair.acceptor, {
      [name]: (_request: unknown, rpc: unknown) => {
        writers.push(rpc as StreamingRpc);
        return new Promise(() => {});
      },
    });
    const call = fixture.call(fixture.pair.dialer, name, one(0), own ? { timeout: 10_000 } : {});
    await fixture.rest();
    const reader = await items(call);
    const fates: string[] = [];
    for (const wait of [6_000, 6_000, 6_000, 11_000]) {
      const next = reader.next().then(
        ({ done }) => void fates.push(done ? 'done' : 'item'),
        (failure: TransportError) => void fates.push(failure.code),
      );
      fixture.pair.pass(wait);
      await fixture.rest();
      writers[0]!.write(one(1)).catch(() => {});
      await fixture.rest();
      await next;
    }
    t.deepEqual(fates, expected);
  }
});

test('a duplex call streams both ways at once', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    both: async function* (_request: unknown, rpc: { upload?: AsyncIterable<unknown> }) {
      for await (const item of rpc.upload!) yield one((item as Uint8Array)[0]! * 2);
    } as unknown as AnyHandler,
  });
  const call = fixture.call(fixture.pair.dialer, 'both', one(0), { upload: upload(1, 2, 3) });
  await fixture.rest();
  const reader = await items(call);
  const read: number[] = [];
  const reading = (async () => {
    for await (const item of reader) read.push(item[0]!);
  })();
  for (let i = 0; i < 5; i++) await fixture.rest();
  await reading;
  t.deepEqual(read, [2, 4, 6]);
});

/** Lets callers and handlers act at random. */
async function chaos(t: ExecutionContext, seed: number, cut: boolean): Promise<void> {
  const random: Random = seededRandom(seed);
  const fixture = new CallFixture();
  const { pair } = fixture;
  const gates: (() => void)[] = [];
  const pause = () =>
    random() < 0.5 ? Promise.resolve() : new Promise<void>((resolve) => gates.push(resolve));
  const maybeThrow = () => {
    if (random() < 0.1) throw new TransportError('aborted', 'chance');
  };
  const handlers: Partial<Record<Name, AnyHandler>> = {
    ask: async (request) => {
      await pause();
      maybeThrow();
      return request;
    },
    tell: () => {},
    give: async (_request, rpc) => {
      let count = 0;
      for await (const _ of rpc.upload!) {
        count++;
        await pause();
        maybeThrow();
        if (random() < 0.1) break;
      }
      return one(count);
    },
    get: async function* (request: unknown) {
      for (let i = 0; i < (request as Uint8Array)[0]! % 6; i++) {
        await pause();
        maybeThrow();
        yield new Uint8Array(1 + Math.floor(random() * 9_000)).fill(i);
      }
    } as unknown as AnyHandler,
    both: async (_request, rpc) => {
      for await (const item of rpc.upload!) {
        await (rpc as StreamingRpc).write(item);
        maybeThrow();
      }
    },
  };
  const ends = [pair.dialer, pair.acceptor];
  for (const end of ends) fixture.serve(end, handlers);
  async function* source() {
    for (let i = 0; i < 5; i++) {
      await pause();
      maybeThrow();
      yield new Uint8Array(1 + Math.floor(random() * 9_000)).fill(i);
    }
  }
  const calls: { call: Call<unknown>; settled: number; reading?: Promise<unknown> }[] = [];
  const controllers: AbortController[] = [];
  const make = () => {
    const name = pick(Object.keys(protocol.methods), random) as Name;
    const controller = new AbortController();
    controllers.push(controller);
    const payload = new Uint8Array(1 + Math.floor(random() ** 4 * 20_000)).fill(
      Math.floor(random() * 256),
    );
    const options: Options = { signal: controller.signal };
    if (random() < 0.2) options.timeout = 1 + random() * 300;
    if (name === 'give' || name === 'both') options.upload = source();
    const call = fixture.call(pick(ends, random)!, name, payload, options);
    const made: (typeof calls)[number] = { call, settled: 0 };
    calls.push(made);
    made.reading = call.promise
      .then(
        async (value) => {
          made.settled++;
          if (name === 'ask') t.deepEqual(value, payload);
          if (name !== 'get' && name !== 'both') return;
          let expected = 0;
          for await (const item of value as AsyncIterable<Uint8Array>) {
            t.is(item[0], expected++);
            t.is(item.at(-1), item[0]);
            await pause();
            if (random() < 0.1) break;
          }
        },
        () => void made.settled++,
      )
      .catch((failure: unknown) => {
        if (!(failure instanceof TransportError)) throw failure;
      });
  };
  for (let step = 0; step < 300; step++) {
    const draw = random();
    const end = pick(ends, random)!;
    if (draw < 0.2) make();
    else if (draw < 0.24) pick(controllers, random)?.abort('chance');
    else if (draw < 0.5) gates.splice(Math.floor(random() * gates.length), 1)[0]?.();
    else if (draw < 0.52) end.stuck = true;
    else if (draw < 0.6) end.drain(pair.now);
    else if (draw < 0.7) pair.tick(end);
    else if (draw < 0.72) pair.pass(Math.floor(random() * 40));
    else pair.move(end, 1 + Math.floor(random() ** 3 * 20_000));
    if (step % 3 === 0) await turn();
  }
  if (cut) {
    pair.cut();
    for (const end of ends)
      for (const call of end.ending!.unsent)
        call.failed(withDetails(end.ending!.error, { sent: false }));
  }
  let through = false;
  void Promise.all(calls.map(({ reading }) => reading)).then(() => {
    through = true;
  });
  for (let round = 0; round < 3_000 && !through; round++) {
    for (const end of ends) if (!cut) end.drain(pair.now);
    for (const gate of gates.splice(0)) gate();
    pair.quiet();
    await turn();
  }
  t.true(through, 'every call and every loop ends');
  for (let round = 0; round < 20; round++) {
    for (const gate of gates.splice(0)) gate();
    pair.quiet();
    await turn();
  }
  for (const { call, settled } of calls) t.is(settled, 1, call.method.name);
  t.is(fixture.settled.length, calls.length);
  for (const { signal } of controllers) t.is(getEventListeners(signal, 'abort').length, 0);
  for (const end of ends) {
    t.is(end.memory.used, 0);
    t.is(end.session.parts.caller.slots.size, 0);
    t.is(end.session.parts.callee.served.ids.size, 0);
    for (const channel of end.session.parts.channels.all()) t.is(channel.running, 0);
    if (!cut) t.is(end.ending, undefined);
  }
}

for (const cut of [false, true]) {
  test(`whatever users and handlers do, ${cut ? 'and the connection breaks' : 'in any order'}: each call settles once and no state is left`, async (t) => {
    for (let seed = 0; seed < 40; seed++) {
      try {
        await chaos(t, seed, cut);
      } catch (failure) {
        t.log(`seed ${seed}`);
        throw failure;
      }
    }
  });
}

test('a one-way message costs its sender credit and its receiver memory until its handler ends', async (t) => {
  const fixture = new CallFixture();
  const { acceptor, dialer } = fixture.pair;
  const running: (() => void)[] = [];
  let failing = 0;
  fixture.serve(acceptor, {
    tell: async () => {
      await new Promise<void>((resolve) => running.push(resolve));
      if (++failing % 2 === 0) throw new Error('half of them fail');
    },
  });
  for (let i = 0; i < 100; i++) fixture.call(dialer, 'tell', new Uint8Array(0));
  await fixture.rest();
  t.is(running.length, 64, 'its short account is 4,096 bytes, and an empty one-way costs 64');
  t.is(acceptor.memory.used, 64 * 64);
  for (const end of running.splice(0, 40)) end();
  await fixture.rest();
  t.is(running.length, 60);
  for (const end of running.splice(0)) end();
  await fixture.rest();
  t.is(acceptor.memory.used, 0);
  t.is(dialer.session.parts.channels.get(protocol.channel).lanes.shortCredit, 4_096);
});

test('a long one-way message does, too; a handler that returns at once returns the credit at once', async (t) => {
  const fixture = new CallFixture();
  const { acceptor, dialer } = fixture.pair;
  let end: (() => void) | undefined;
  fixture.serve(acceptor, {
    tell: (request) =>
      (request as Uint8Array)[0] === 1
        ? new Promise<void>((resolve) => (end = resolve))
        : undefined,
  });
  const { lanes } = dialer.session.parts.channels.get(protocol.channel);
  fixture.call(dialer, 'tell', new Uint8Array(10_000));
  await fixture.rest();
  t.is(lanes.longCredit, 32 * 1024);
  fixture.call(dialer, 'tell', new Uint8Array(10_000).fill(1));
  await fixture.rest();
  t.is(lanes.longCredit, 32 * 1024 - 10_064);
  t.is(acceptor.memory.used, 10_064);
  end!();
  await fixture.rest();
  t.is(lanes.longCredit, 32 * 1024);
});

test('limits.calls bounds the running one-way messages; more of them wait in order, and block no request', async (t) => {
  const fixture = new CallFixture({ calls: 3 });
  const { acceptor, dialer } = fixture.pair;
  const running: [number, () => void][] = [];
  fixture.serve(acceptor, {
    tell: (request) =>
      new Promise<void>((resolve) => running.push([(request as Bytes)[0]!, resolve])),
    ask: () => one(9),
  });
  for (let i = 0; i < 8; i++) fixture.call(dialer, 'tell', one(i));
  const ask = fixture.call(dialer, 'ask', one(1));
  await fixture.rest();
  t.deepEqual(await ask.promise, one(9));
  t.deepEqual(
    running.map(([which]) => which),
    [0, 1, 2],
  );
  running.splice(1, 1)[0]![1]();
  await fixture.rest();
  t.deepEqual(
    running.map(([which]) => which),
    [0, 2, 3],
  );
  while (running.length > 0) {
    running.pop()![1]();
    await fixture.rest();
  }
  t.is(acceptor.session.parts.channels.get(protocol.channel).oneways, 0);
  t.is(acceptor.memory.used, 0);
});

test('a request counts against limits.memory while its handler runs, even if its caller and connection are gone', async (t) => {
  const fixture = new CallFixture();
  const { acceptor, dialer } = fixture.pair;
  const running: (() => void)[] = [];
  fixture.serve(acceptor, {
    ask: () => new Promise<Bytes>((resolve) => running.push(() => resolve(one(1)))),
  });
  fixture.call(dialer, 'ask', new Uint8Array(10_000), { timeout: 50 });
  fixture.call(dialer, 'ask', one(1));
  await fixture.rest();
  t.is(acceptor.memory.used, 10_064 + 65);
  fixture.pair.pass(100);
  await fixture.rest();
  t.is(acceptor.memory.used, 10_064 + 65);
  fixture.pair.cut();
  t.is(acceptor.memory.used, 10_064 + 65);
  for (const end of running) end();
  await turn();
  t.is(acceptor.memory.used, 0);
});

test('a reader that drops calls of a lost connection holds nothing', async (t) => {
  const fixture = new CallFixture();
  const { acceptor, dialer } = fixture.pair;
  const reader = fixture.read(acceptor);
  const [first, second] = [reader.next(), reader.next()];
  fixture.call(dialer, 'ask', one(1));
  fixture.call(dialer, 'ask', one(2));
  await fixture.rest();
  t.is(acceptor.memory.used, 2 * 65);
  const { value } = await first;
  await second;
  fixture.pair.cut();
  t.is(acceptor.memory.used, 0);
  t.false((value as RespondingRpc).respond(one(1)));
  t.is(acceptor.memory.used, 0);
});

test('a handler that uses its signal costs the caller more work units', async (t) => {
  const fixture = new CallFixture();
  const { dialer, acceptor } = fixture.pair;
  fixture.serve(acceptor, {
    ask: (request, rpc) => one((request as Bytes)[0] === 1 && rpc.signal.aborted ? 0 : 1),
  });
  const costOf = async (request: Bytes) => {
    const { context } = acceptor.session.parts;
    const before = context.units;
    fixture.call(dialer, 'ask', request);
    await fixture.rest();
    return before - context.units;
  };
  const plain = await costOf(one(0));
  t.is(await costOf(one(1)), plain + SIGNAL);
});

test('many connections that hold all calls they may leave room for one that holds none', async (t) => {
  const memory = new Memory(2 ** 30);
  const total = { calls: 400, bytes: 2 ** 20 };
  const fixtures = Array.from({ length: 21 }, () => new CallFixture({ total }, memory));
  const running: (() => void)[] = [];
  const ask = () => new Promise<Bytes>((resolve) => running.push(() => resolve(one(1))));
  for (const fixture of fixtures) fixture.serve(fixture.pair.acceptor, { ask, tell: ask });
  const honest = fixtures.pop()!;
  for (const fixture of fixtures) {
    for (let i = 0; i < 400; i++) fixture.call(fixture.pair.dialer, 'ask', one(1));
    await fixture.rest();
  }
  t.true(memory.calls > 300 && memory.calls < 400);
  const held = running.length;
  honest.call(honest.pair.dialer, 'ask', one(1));
  honest.call(honest.pair.dialer, 'ask', one(1));
  await honest.rest();
  t.is(running.length, held + 2, 'both are being handled');
  while (running.length > 0) {
    for (const end of running.splice(0)) end();
    for (const fixture of [...fixtures, honest]) await fixture.rest();
  }
  t.deepEqual([memory.calls, memory.bytes, memory.used], [0, 0, 0]);
});

test('limits.total bounds the calls of all connections: each may take half of what is free', async (t) => {
  const memory = new Memory(2 ** 30);
  const total = { calls: 30, bytes: 2 ** 20 };
  const [first, second] = [new CallFixture({ total }, memory), new CallFixture({ total }, memory)];
  const running: (() => void)[] = [];
  const ask = () => new Promise<Bytes>((resolve) => running.push(() => resolve(one(1))));
  for (const fixture of [first, second]) fixture.serve(fixture.pair.acceptor, { ask, tell: ask });
  const greedy = Array.from({ length: 20 }, () => first.call(first.pair.dialer, 'ask', one(1)));
  await first.rest();
  t.is(running.length, 12, 'half of three quarters');
  t.is((await error(greedy[12]!)).code, 'resource_exhausted');
  t.regex((await error(greedy[12]!)).message, /limits\.total is reached/);
  t.false((await error(greedy[12]!)).sent);
  for (let i = 0; i < 20; i++) second.call(second.pair.dialer, 'ask', one(1));
  await second.rest();
  t.is(running.length, 12 + 6, 'half of what is left of them');
  for (let i = 0; i < 3; i++) second.call(second.pair.dialer, 'tell', one(1));
  await second.rest();
  t.is(running.length, 19, 'one one-way message runs, the others wait');
  t.is(memory.calls, 19);
  while (running.length > 0) {
    for (const end of running.splice(0)) end();
    await second.rest();
  }
  await first.rest();
  t.deepEqual([memory.calls, memory.bytes, memory.used], [0, 0, 0]);
});

test('one-way messages beyond limits.total.bytes are dropped and counted, and their credit is returned', async (t) => {
  const memory = new Memory(2 ** 30);
  const fixture = new CallFixture({ total: { calls: 1_000, bytes: 4 * 1_600 } }, memory);
  const { acceptor, dialer } = fixture.pair;
  const reader = fixture.read(acceptor);
  for (let i = 0; i < 60; i++) fixture.call(dialer, 'tell', new Uint8Array(1_024));
  await fixture.rest();
  t.is(memory.bytes, 2 * 1_600, 'each weighs 512 more than it costs');
  t.is(acceptor.count('onewayDropped'), 58);
  t.is(dialer.session.parts.channels.get(protocol.channel).lanes.shortCredit, 4_096 - 2 * 1_088);
  await reader.next();
  await reader.next();
  await reader.return();
  t.is(memory.bytes, 0);
});
