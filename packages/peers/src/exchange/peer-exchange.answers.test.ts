// Tests of the address lists that a node accepts as answers.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { type ExchangeInput, type ExchangeOutput, PeerExchange } from './peer-exchange.ts';

const id = (n: number) => n.toString(16).padStart(64, '0');
const [A, B, C] = [id(1), id(2), id(3)];
const OUT = { direction: 'out', persistent: false } as const;
const IN = { direction: 'in', persistent: false } as const;

const create = (options: { interval?: number; seed?: boolean } = {}, seed = 1) =>
  new PeerExchange({ random: seededRandom(seed), ...options });

/** Gives the machine an input and returns the outputs. */
function outputs(exchange: PeerExchange, now: number, input: ExchangeInput): ExchangeOutput[] {
  exchange.handle(now, input);
  const all: ExchangeOutput[] = [];
  for (let one = exchange.poll(); one !== undefined; one = exchange.poll()) all.push(one);
  return all;
}

const connected = (
  exchange: PeerExchange,
  nodeId: string,
  now: number,
  peer: { readonly direction: 'in' | 'out'; readonly persistent: boolean },
) => exchange.handle(now, { type: 'connected', nodeId, ...peer });

const gone = (exchange: PeerExchange, nodeId: string) =>
  exchange.handle(0, { type: 'gone', nodeId, proven: false });

/** Returns all peers that are asked now. */
const asked = (exchange: PeerExchange, now: number, wanted = true) =>
  outputs(exchange, now, { type: 'wake', wanted }).flatMap(({ type, nodeId }) =>
    type === 'request' ? nodeId : [],
  );

/** Returns the first of the peers that are asked now. */
const ask = (exchange: PeerExchange, now: number, wanted = true) => asked(exchange, now, wanted)[0];

/** Returns the reaction to a list: `ignored`, or the type of the output. */
const received = (
  exchange: PeerExchange,
  nodeId: string,
  entries: readonly unknown[],
  now: number,
): { readonly kind: string; readonly output: ExchangeOutput | undefined } => {
  const list = { read: () => entries };
  const [output] = outputs(exchange, now, { type: 'addresses', nodeId, list });
  return { kind: output?.type ?? 'ignored', output };
};

test('a list that was not requested is unsolicited', (t) => {
  const exchange = create();
  t.is(received(exchange, A, [], 0).kind, 'unsolicited');
  connected(exchange, A, 0, OUT);
  t.is(received(exchange, A, [], 0).kind, 'unsolicited');
  connected(exchange, B, 0, OUT);
  ask(exchange, 0, false);
  t.is(received(exchange, B, [], 1).kind, 'unsolicited');
});

test('one request allows one answer; soon after it three repetitions are tolerated, and a fourth is unsolicited', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  t.is(ask(exchange, 0, true), A);
  t.is(received(exchange, A, [], 100).kind, 'addresses');
  for (let i = 1; i <= 3; i++)
    t.is(received(exchange, A, [{ nodeId: B, address: '1.2.3.4:5' }], 100 + i).kind, 'ignored');
  t.is(received(exchange, A, [], 104).kind, 'unsolicited');
});

test('a list long after an answer is not a repetition of it', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  t.is(ask(exchange, 0, true), A);
  t.is(received(exchange, A, [], 100).kind, 'addresses');
  t.is(received(exchange, A, [], 3_100).kind, 'unsolicited');
});

test('an answer permits nothing to other peers or to the next session', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  const first = ask(exchange, 0, true)!;
  connected(exchange, B, 0, OUT);
  t.is(received(exchange, first === A ? B : A, [], 1).kind, 'unsolicited');
  gone(exchange, first);
  connected(exchange, first, 2, IN);
  t.is(received(exchange, first, [], 3).kind, 'unsolicited');
});

test('a late answer is accepted: hours later, and for each of two open requests', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  t.is(ask(exchange, 0, true), A);
  t.is(ask(exchange, 29_999, true), undefined);
  t.is(ask(exchange, exchange.wakeAt, true), A);
  t.is(received(exchange, A, [], 9e6).kind, 'addresses');
  t.is(received(exchange, A, [], 9e6).kind, 'addresses');
  t.is(received(exchange, A, [], 9e6).kind, 'ignored');
});

test('a peer that answers neither of two requests is not asked for ten intervals, and never owes more than two answers', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    times.push(exchange.wakeAt);
    t.is(ask(exchange, exchange.wakeAt, true), A);
  }
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  t.true(gaps[0]! >= 30_000 && gaps[0]! <= 36_000, String(gaps));
  for (const gap of gaps.slice(1)) t.true(gap >= 300_000 && gap <= 360_000, String(gaps));
  const kinds = [1, 2, 3].map((n) => received(exchange, A, [], 1e7 + n).kind);
  t.deepEqual(kinds, ['addresses', 'addresses', 'ignored']);
});

test('good entries are kept in order, and the rest is dropped', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  ask(exchange, 0, true);
  const good = [
    { nodeId: B, address: 'host:1' },
    { nodeId: C, address: '10.0.0.1:2' },
    { nodeId: B, address: 'ws://host:3/p' },
  ];
  const hostile = JSON.parse(
    '[null,1,-0.5,"x",[],[[[[]]]],{},{"nodeId":{"nodeId":1},"address":["a:1"]},{"__proto__":{"nodeId":"1"}},true]',
  );
  const list = [
    good[0],
    ...hostile,
    good[1],
    { nodeId: B, address: 'tcp://HOST:1' },
    good[2],
    good[1],
    { nodeId: B, address: 'host:0' },
  ];
  const { output: answer } = received(exchange, A, list, 1);
  if (answer?.type !== 'addresses') return t.fail();
  t.deepEqual(answer.entries, good);
  t.is(({} as Record<string, unknown>)['nodeId'], undefined);
});

test('of a list of 100,000 entries, only 250 are examined', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  ask(exchange, 0, true);
  const list = Array.from({ length: 100_000 }, (_, n) => ({
    nodeId: id(n),
    address: `host:${1 + (n % 60_000)}`,
  }));
  let looks = 0;
  const watched = new Proxy(list, {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  const { output: answer } = received(exchange, A, watched, 1);
  if (answer?.type !== 'addresses') return t.fail();
  t.is(answer.entries.length, 250);
  t.true(looks <= 250, String(looks));
});

test('dropped entries do not matter for open requests: an answer of garbage is an answer', (t) => {
  const exchange = create();
  connected(exchange, A, 0, OUT);
  ask(exchange, 0, true);
  t.deepEqual(received(exchange, A, [null], 1).output, {
    type: 'addresses',
    nodeId: A,
    entries: [],
  });
  t.is(received(exchange, A, [null], 2).kind, 'ignored');
});
