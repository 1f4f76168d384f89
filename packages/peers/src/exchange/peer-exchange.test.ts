// Tests of peer exchange.

import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { seeds } from '../testing/seeds.ts';
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

const gone = (exchange: PeerExchange, nodeId: string, proven = false, now = 0) =>
  exchange.handle(now, { type: 'gone', nodeId, proven });

/** Returns all peers that are asked now. */
const asked = (exchange: PeerExchange, now: number, wanted = true) =>
  outputs(exchange, now, { type: 'wake', wanted }).flatMap(({ type, nodeId }) =>
    type === 'request' ? nodeId : [],
  );

/** Returns the first of the peers that are asked now. */
const ask = (exchange: PeerExchange, now: number, wanted = true) => asked(exchange, now, wanted)[0];

/** Returns the peers to disconnect because they stayed too long. */
const overstayed = (exchange: PeerExchange, now: number) =>
  outputs(exchange, now, { type: 'wake', wanted: false }).map(({ nodeId }) => nodeId);

/** Returns the reaction to a request. */
const requested = (exchange: PeerExchange, nodeId: string, now: number) =>
  outputs(exchange, now, { type: 'request', nodeId })
    .map(({ type }) => type)
    .join('_and_');

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

test('two requests are free, the third is abuse if it is early', (t) => {
  const exchange = create();
  connected(exchange, A, 0, IN);
  t.is(requested(exchange, A, 0), 'answer');
  t.is(requested(exchange, A, 1), 'answer');
  t.is(requested(exchange, A, 10_000), 'too_many_requests');
});

test('a peer may ask again a third of the interval after its last answered request, not counting the first', (t) => {
  const exchange = create();
  connected(exchange, A, 0, IN);
  t.is(requested(exchange, A, 0), 'answer');
  t.is(requested(exchange, A, 5_000), 'answer');
  t.is(requested(exchange, A, 15_000), 'answer');
  t.is(requested(exchange, A, 25_000), 'answer');
  t.is(requested(exchange, A, 34_999), 'too_many_requests');
});

test('after a pause, a peer may ask twice at once and no more, however long the pause was', (t) => {
  const exchange = create();
  connected(exchange, A, 0, IN);
  for (const now of [0, 0, 1_000_000, 1_000_000]) t.is(requested(exchange, A, now), 'answer');
  t.is(requested(exchange, A, 1_000_000), 'too_many_requests');
});

test('a proven peer that reconnects gets no more answers than one that stays, and is not blamed', (t) => {
  for (const seed of [false, true]) {
    const exchange = create({ seed });
    const answer = seed ? 'answer_and_part' : 'answer';
    const reactions: string[] = [];
    for (let now = 0; now < 20_000; now += 1_000) {
      connected(exchange, A, now, IN);
      reactions.push(requested(exchange, A, now));
      gone(exchange, A, true, now + 1);
    }
    const silence = Array.from({ length: 9 }, () => (seed ? 'part' : ''));
    t.deepEqual(
      reactions,
      [answer, answer, ...silence, answer, ...silence.slice(1)].slice(0, 20),
      `seed ${seed}`,
    );
    connected(exchange, A, 100_000, IN);
    t.is(requested(exchange, A, 100_000), answer);
  }
});

test('a proven peer that asks three times at once in a further session is cut, as in the first', (t) => {
  const exchange = create();
  for (const now of [0, 10]) {
    connected(exchange, A, now, IN);
    t.deepEqual(
      [1, 2, 3].map((later) => requested(exchange, A, now + later)),
      now === 0 ? ['answer', 'answer', 'too_many_requests'] : ['', '', 'too_many_requests'],
    );
    gone(exchange, A, true, now + 5);
  }
});

test('the limit applies per peer, and for an asserted id per session: others are not affected, and a new session starts anew', (t) => {
  const exchange = create();
  for (const peer of [A, B]) connected(exchange, peer, 0, IN);
  t.deepEqual(
    [1, 2, 3].map((now) => requested(exchange, A, now)),
    ['answer', 'answer', 'too_many_requests'],
  );
  t.is(requested(exchange, B, 4), 'answer');
  gone(exchange, A);
  connected(exchange, A, 5, IN);
  t.is(requested(exchange, A, 6), 'answer');
});

test('a request of a node that is not connected is ignored', (t) => {
  const exchange = create();
  t.is(requested(exchange, A, 0), '');
  connected(exchange, A, 0, IN);
  gone(exchange, A);
  t.is(requested(exchange, A, 1), '');
});

test('a seed answers a node that dialed it once, then disconnects; further requests are ignored', (t) => {
  const exchange = create({ seed: true });
  connected(exchange, A, 0, IN);
  t.is(requested(exchange, A, 1), 'answer_and_part');
  t.is(requested(exchange, A, 2), '');
  t.is(requested(exchange, A, 100_000), '');
});

test('a seed treats persistent peers and nodes that it dialed as other nodes do', (t) => {
  const exchange = create({ seed: true });
  connected(exchange, A, 0, OUT);
  connected(exchange, B, 0, { direction: 'in', persistent: true });
  for (const peer of [A, B])
    t.deepEqual(
      [1, 2, 3].map((now) => requested(exchange, peer, now)),
      ['answer', 'answer', 'too_many_requests'],
    );
});

test('in seed mode, peers that stay too long are to be disconnected, persistent peers never', (t) => {
  const exchange = create({ seed: true });
  connected(exchange, A, 0, IN);
  connected(exchange, B, 0, { direction: 'out', persistent: true });
  connected(exchange, C, 1_000, OUT);
  t.deepEqual(overstayed(exchange, 299_999), []);
  t.deepEqual(overstayed(exchange, 300_000), [A]);
  t.deepEqual(overstayed(exchange, 301_000), [A, C]);
  gone(exchange, A);
  t.deepEqual(overstayed(exchange, 301_000), [C]);
  connected(exchange, C, 301_001, { direction: 'out', persistent: true });
  t.deepEqual(overstayed(exchange, 900_000), []);

  const node = create();
  connected(node, A, 0, IN);
  t.deepEqual(overstayed(node, 1e9), []);
});

test('a dialed peer is asked as soon as it is connected, however many there are', (t) => {
  const exchange = create();
  t.is(exchange.wakeAt, Number.POSITIVE_INFINITY);
  connected(exchange, A, 5, OUT);
  t.is(exchange.wakeAt, 5);
  t.deepEqual(asked(exchange, 5), [A]);
  connected(exchange, B, 6, OUT);
  connected(exchange, C, 6, OUT);
  t.is(exchange.wakeAt, 6);
  t.deepEqual(asked(exchange, 6).sort(), [B, C]);
  t.true(exchange.wakeAt > 6 + 20_000);
});

test('if all peers are inbound, the first of them is asked at once', (t) => {
  const exchange = create();
  connected(exchange, A, 5, IN);
  connected(exchange, B, 5, IN);
  t.is(exchange.wakeAt, 5);
  t.is(asked(exchange, 5).length, 1);
  t.true(exchange.wakeAt >= 5 + 24_000 && exchange.wakeAt <= 5 + 36_000, String(exchange.wakeAt));
});

test('outbound peers are asked before inbound ones at the start and in most rounds, but not in all', (t) => {
  const exchange = create();
  connected(exchange, A, 0, IN);
  connected(exchange, B, 0, OUT);
  let now = 0;
  const counts = new Map<string, number>();
  t.is(ask(exchange, now, true), B);
  received(exchange, B, [], now);
  for (let round = 0; round < 400; round++) {
    now = exchange.wakeAt;
    const peer = ask(exchange, now, true)!;
    counts.set(peer, (counts.get(peer) ?? 0) + 1);
    received(exchange, peer, [], now + 50);
  }
  t.true(counts.get(A)! > 60 && counts.get(A)! < 140, String([...counts]));
});

test('if many may be asked, one is asked per round, and each of them at some time', (t) => {
  const exchange = create();
  for (let n = 1; n <= 20; n++) connected(exchange, id(n), 0, IN);
  const seen = new Set<string>();
  let last = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < 400; round++) {
    const now = exchange.wakeAt;
    t.true(round === 0 || (now - last >= 24_000 && now - last <= 36_000), `${now - last}`);
    last = now;
    const peers = asked(exchange, now);
    t.is(peers.length, 1);
    received(exchange, peers[0]!, [], now + 10);
    seen.add(peers[0]!);
  }
  t.is(seen.size, 20);
});

test('nobody is asked while no addresses are wanted; then one peer is asked per round, not all at once', (t) => {
  const exchange = create();
  for (let n = 1; n <= 5; n++) connected(exchange, id(n), 0, OUT);
  t.is(ask(exchange, 0, false), undefined);
  const { wakeAt: due } = exchange;
  t.true(due >= 24_000, String(due));
  t.is(ask(exchange, due, false), undefined);
  t.true(exchange.wakeAt > due);
  t.is(asked(exchange, exchange.wakeAt).length, 1);
});

test('a peer is due at its time and not before', (t) => {
  const exchange = create({}, 3);
  const random = seededRandom(4);
  for (let n = 1; n <= 3; n++) connected(exchange, id(n), 0, n === 1 ? OUT : IN);
  let now = 0;
  for (let i = 0; i < 300; i++) {
    const { wakeAt: due } = exchange;
    if (due > now) t.is(ask(exchange, due - 0.5, true), undefined);
    now = Math.max(now, due);
    const peer = ask(exchange, now, true);
    if (peer === undefined) return t.fail(`nobody at ${now}`);
    if (random() < 0.8) received(exchange, peer, [], now + 100);
  }
});

/**
 * Simulates an hour of two nodes that are each other's only peer and always want more addresses.
 */
function anHour(
  t: ExecutionContext,
  seed: number,
  { latency, loss, interval = 30_000 }: { latency: number; loss: number; interval?: number },
) {
  const random = seededRandom(seed);
  const nodes = [create({ interval }, seed), create({ interval }, seed + 1_000)] as const;
  const ids = [A, B] as const;
  const wire: { at: number; to: 0 | 1; kind: 'request' | 'addresses' }[] = [];
  const requests = [0, 0];
  connected(nodes[0], B, 0, OUT);
  connected(nodes[1], A, random() * 1_000, IN);
  const send = (to: 0 | 1, kind: 'request' | 'addresses', now: number) =>
    random() >= loss && wire.push({ at: now + random() * latency, to, kind });
  for (let now = 1_000; now < 3_600_000; ) {
    wire.sort((a, b) => a.at - b.at);
    const next = Math.min(
      ...nodes.map((node) => Math.max(now, node.wakeAt)),
      wire[0]?.at ?? Number.POSITIVE_INFINITY,
    );
    now = Math.max(now, next);
    for (const me of [0, 1] as const) {
      if (ask(nodes[me], now, true) !== undefined) send(me === 0 ? 1 : 0, 'request', now);
    }
    while (wire.length > 0 && wire[0]!.at <= now) {
      const { to, kind } = wire.shift()!;
      const from = to === 0 ? 1 : 0;
      if (kind === 'request') {
        requests[to]!++;
        const verdict = requested(nodes[to], ids[from], now);
        if (verdict !== 'answer') return t.fail(`seed ${seed}: ${verdict} at ${now}`);
        send(from, 'addresses', now);
      } else {
        const { kind } = received(nodes[to], ids[from], [], now);
        if (kind !== 'addresses') return t.fail(`seed ${seed}: ${kind} at ${now}`);
      }
    }
  }
  return requests;
}

test('the planner of requests never violates the limit of the other end, whatever the latency', (t) => {
  for (const seed of seeds(20)) {
    for (const latency of [1, 200, 5_000, 20_000]) {
      const requests = anHour(t, seed, { latency, loss: 0 }) ?? [0, 0];
      for (const count of requests)
        t.true(count > 60, `seed ${seed}, latency ${latency}: ${count} requests`);
    }
  }
});

test('the exchange does not violate the limit if messages are lost, either', (t) => {
  for (const seed of seeds(50)) {
    const requests = anHour(t, seed, { latency: 2_000, loss: 0.1 }) ?? [0, 0];
    for (const count of requests) t.true(count > 10, `seed ${seed}: ${count} requests`);
  }
});
