// Tests of the cost of calls between two sessions: credit, memory and the limits of calls.

import test from 'ava';
import { Memory } from '../session/memory.ts';
import { SIGNAL } from '../session/session-context.ts';
import { charge, type IncomingRpc } from './rpc.ts';
import { type Bytes, CallFixture, errorOf, one, protocol, turn } from './testing/call-fixture.ts';

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
  t.is(running.length, 64, 'its inbox is 64 KiB, and an empty one-way costs 1,024');
  t.is(acceptor.memory.used, 64 * 64);
  for (const end of running.splice(0, 40)) end();
  await fixture.rest();
  t.is(running.length, 60);
  for (const end of running.splice(0)) end();
  await fixture.rest();
  t.is(acceptor.memory.used, 0);
  t.is(dialer.session.parts.channels.get(protocol.channel).lanes.credit, 65_536);
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
  t.is(running.map(([which]) => which).join(), '0,1,2');
  running.splice(1, 1)[0]![1]();
  await fixture.rest();
  t.is(running.map(([which]) => which).join(), '0,2,3');
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
  t.false((value as IncomingRpc).respond(one(1)));
  t.is(acceptor.memory.used, 0);
});

test('a handler that uses its signal, or charges for its work, costs the caller more work units', async (t) => {
  const fixture = new CallFixture();
  const { dialer, acceptor } = fixture.pair;
  fixture.serve(acceptor, {
    ask(request, rpc) {
      const [kind] = request as Bytes;
      if (kind === 2) charge(rpc, 1_000);
      return one(kind === 1 && rpc.signal.aborted ? 0 : 1);
    },
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
  t.is(await costOf(one(2)), plain + 1_000);
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
  t.is((await errorOf(greedy[12]!)).code, 'resource_exhausted');
  t.regex((await errorOf(greedy[12]!)).message, /limits\.total is reached/);
  t.false((await errorOf(greedy[12]!)).sent);
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
  t.is(memory.bytes, 2 * 1_600, 'each weighs 512 more than its bytes and 64');
  t.is(acceptor.count('onewayDropped'), 58);
  t.is(dialer.session.parts.channels.get(protocol.channel).lanes.credit, 65_536 - 2 * 2_048);
  await reader.next();
  await reader.next();
  await reader.return();
  t.is(memory.bytes, 0);
});

test('one-ways that waited behind answers are delivered although the connection has ended', async (t) => {
  for (const [calls, size] of [
    [4, 40_000],
    [20, 2_000],
  ] as const) {
    const fixture = new CallFixture({ outbound: { messages: 8, bytes: 64 * 1024 } });
    const { acceptor, dialer } = fixture.pair;
    const told: number[] = [];
    fixture.serve(acceptor, {
      ask: () => new Uint8Array(size),
      tell: (request) => void told.push((request as Bytes)[0]!),
    });
    await fixture.rest();
    acceptor.stuck = true;
    const asked = Array.from({ length: calls }, (_, i) => fixture.call(dialer, 'ask', one(i)));
    await fixture.rest();
    for (let i = 0; i < 5; i++) fixture.call(dialer, 'tell', one(i));
    await fixture.rest();
    t.deepEqual(told, []);
    fixture.pair.cut();
    await Promise.all(asked.map(errorOf));
    await fixture.rest();
    t.deepEqual(told, [0, 1, 2, 3, 4]);
    t.is(acceptor.memory.used, 0);
  }
});
