// Tests of peer exchange: requests, the answers that a node accepts, and seed mode.

import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { seeds } from '../testing/seeds.ts';
import { PeerExchange } from './peer-exchange.ts';

const id = (n: number) => n.toString(16).padStart(64, '0');
const [A, B, C] = [id(1), id(2), id(3)];
const OUT = { direction: 'out', persistent: false } as const;
const IN = { direction: 'in', persistent: false } as const;

const create = (options: { seed?: boolean } = {}, seed = 1) =>
  new PeerExchange({ random: seededRandom(seed), interval: 30_000, seed: false, ...options });

/** Returns the reactions to requests of a peer at these times. */
const requests = (exchange: PeerExchange, nodeId: string, ...times: number[]) =>
  times.map((now) => exchange.requested(nodeId, now));

for (const [title, times] of [
  ['two requests are free, the third is abuse if it is early', [0, 1, 10_000]],
  [
    'a peer may ask again a third of the interval after its last answered request, not counting the first',
    [0, 5_000, 15_000, 25_000, 34_999],
  ],
  [
    'after a pause, a peer may ask twice at once and no more, however long the pause was',
    [0, 0, 1e6, 1e6, 1e6],
  ],
] as const)
  test(title, (t) => {
    const exchange = create();
    exchange.connected(A, IN, 0);
    const answers = times.slice(1).map(() => 'answer');
    t.deepEqual(requests(exchange, A, ...times), [...answers, 'too_many_requests']);
  });

test('a proven peer that reconnects gets no more answers than one that stays, and is not blamed', (t) => {
  for (const seed of [false, true]) {
    const exchange = create({ seed });
    const answer = seed ? 'answer_and_part' : 'answer';
    const reactions: string[] = [];
    for (let now = 0; now < 20_000; now += 1_000) {
      exchange.connected(A, IN, now);
      reactions.push(exchange.requested(A, now));
      exchange.gone(A, true, now + 1);
    }
    const silence = Array.from({ length: 9 }, () => (seed ? 'part' : 'ignored'));
    const expected = [answer, answer, ...silence, answer, ...silence.slice(1)];
    t.deepEqual(reactions, expected, `seed ${seed}`);
    exchange.connected(A, IN, 100_000);
    t.is(exchange.requested(A, 100_000), answer);
  }
});

test('a proven peer that asks three times at once in a further session is cut, as in the first', (t) => {
  const exchange = create();
  for (const now of [0, 10]) {
    exchange.connected(A, IN, now);
    const first = now === 0 ? 'answer' : 'ignored';
    const reactions = requests(exchange, A, now + 1, now + 2, now + 3);
    t.deepEqual(reactions, [first, first, 'too_many_requests']);
    exchange.gone(A, true, now + 5);
  }
});

test('the limit applies per peer, and for an asserted id per session: others are not affected, and a new session starts anew', (t) => {
  const exchange = create();
  for (const peer of [A, B]) exchange.connected(peer, IN, 0);
  t.deepEqual(requests(exchange, A, 1, 2, 3), ['answer', 'answer', 'too_many_requests']);
  t.is(exchange.requested(B, 4), 'answer');
  exchange.gone(A, false, 0);
  exchange.connected(A, IN, 5);
  t.is(exchange.requested(A, 6), 'answer');
});

test('a request of a node that is not connected is ignored', (t) => {
  const exchange = create();
  t.is(exchange.requested(A, 0), 'ignored');
  exchange.connected(A, IN, 0);
  exchange.gone(A, false, 0);
  t.is(exchange.requested(A, 1), 'ignored');
});

test('a seed answers a node that dialed it once, then disconnects; further requests are ignored', (t) => {
  const exchange = create({ seed: true });
  exchange.connected(A, IN, 0);
  t.deepEqual(requests(exchange, A, 1, 2, 100_000), ['answer_and_part', 'ignored', 'ignored']);
});

test('a peer that becomes persistent while a seed disconnects it is answered like any other', (t) => {
  const exchange = create({ seed: true });
  exchange.connected(A, IN, 0);
  t.is(exchange.requested(A, 1), 'answer_and_part');
  exchange.connected(A, { direction: 'in', persistent: true }, 4);
  t.deepEqual(requests(exchange, A, 5, 20_000), ['answer', 'answer']);
});

test('a seed treats persistent peers and nodes that it dialed as other nodes do', (t) => {
  const exchange = create({ seed: true });
  exchange.connected(A, OUT, 0);
  exchange.connected(B, { direction: 'in', persistent: true }, 0);
  for (const peer of [A, B])
    t.deepEqual(requests(exchange, peer, 1, 2, 3), ['answer', 'answer', 'too_many_requests']);
});

test('in seed mode, peers that stay too long are to be disconnected, persistent peers never', (t) => {
  const exchange = create({ seed: true });
  exchange.connected(A, IN, 0);
  exchange.connected(B, { direction: 'out', persistent: true }, 0);
  exchange.connected(C, OUT, 1_000);
  t.deepEqual(exchange.overstayed(299_999), []);
  t.deepEqual(exchange.overstayed(300_000), [A]);
  t.deepEqual(exchange.overstayed(301_000), [A, C]);
  exchange.gone(A, false, 0);
  t.deepEqual(exchange.overstayed(301_000), [C]);
  exchange.connected(C, { direction: 'out', persistent: true }, 301_001);
  t.deepEqual(exchange.overstayed(900_000), []);

  const node = create();
  node.connected(A, IN, 0);
  t.deepEqual(node.overstayed(1e9), []);
});

test('a dialed peer is asked as soon as it is connected, however many there are; if all are inbound, the first is', (t) => {
  const exchange = create();
  t.is(exchange.wakeAt, Number.POSITIVE_INFINITY);
  exchange.connected(A, OUT, 5);
  t.is(exchange.wakeAt, 5);
  t.deepEqual(exchange.ask(true, 5), [A]);
  exchange.connected(B, OUT, 6);
  exchange.connected(C, OUT, 6);
  t.is(exchange.wakeAt, 6);
  t.deepEqual(exchange.ask(true, 6).sort(), [B, C]);
  t.true(exchange.wakeAt > 6 + 20_000);
  const inbound = create();
  for (const peer of [A, B]) inbound.connected(peer, IN, 5);
  t.is(inbound.wakeAt, 5);
  t.is(inbound.ask(true, 5).length, 1);
  t.true(inbound.wakeAt >= 5 + 24_000 && inbound.wakeAt <= 5 + 36_000, String(inbound.wakeAt));
});

test('outbound peers are asked before inbound ones at the start and in most rounds, but not in all', (t) => {
  const exchange = create();
  exchange.connected(A, IN, 0);
  exchange.connected(B, OUT, 0);
  let now = 0;
  const counts = new Map<string, number>();
  t.is(exchange.ask(true, now)[0], B);
  exchange.received(B, now);
  for (let round = 0; round < 400; round++) {
    now = exchange.wakeAt;
    const peer = exchange.ask(true, now)[0]!;
    counts.set(peer, (counts.get(peer) ?? 0) + 1);
    exchange.received(peer, now + 50);
  }
  t.true(counts.get(A)! > 60 && counts.get(A)! < 140, String([...counts]));
});

test('if many may be asked, one is asked per round, and each of them at some time', (t) => {
  const exchange = create();
  for (let n = 1; n <= 20; n++) exchange.connected(id(n), IN, 0);
  const seen = new Set<string>();
  let last = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < 400; round++) {
    const now = exchange.wakeAt;
    t.true(round === 0 || (now - last >= 24_000 && now - last <= 36_000), `${now - last}`);
    last = now;
    const peers = exchange.ask(true, now);
    t.is(peers.length, 1);
    exchange.received(peers[0]!, now + 10);
    seen.add(peers[0]!);
  }
  t.is(seen.size, 20);
});

test('nobody is asked while no addresses are wanted; then one peer is asked per round, not all at once', (t) => {
  const exchange = create();
  for (let n = 1; n <= 5; n++) exchange.connected(id(n), OUT, 0);
  t.is(exchange.ask(false, 0)[0], undefined);
  const { wakeAt: due } = exchange;
  t.true(due >= 24_000, String(due));
  t.is(exchange.ask(false, due)[0], undefined);
  t.true(exchange.wakeAt > due);
  t.is(exchange.ask(true, exchange.wakeAt).length, 1);
});

test('a peer is due at its time and not before', (t) => {
  const exchange = create({}, 3);
  const random = seededRandom(4);
  for (let n = 1; n <= 3; n++) exchange.connected(id(n), n === 1 ? OUT : IN, 0);
  let now = 0;
  for (let i = 0; i < 300; i++) {
    const { wakeAt: due } = exchange;
    if (due > now) t.is(exchange.ask(true, due - 0.5)[0], undefined);
    now = Math.max(now, due);
    const peer = exchange.ask(true, now)[0];
    if (peer === undefined) return t.fail(`nobody at ${now}`);
    if (random() < 0.8) exchange.received(peer, now + 100);
  }
});

/** Returns a machine that has just asked A, its only peer. */
function asking(t: ExecutionContext): PeerExchange {
  const exchange = create();
  exchange.connected(A, OUT, 0);
  t.deepEqual(exchange.ask(true, 0), [A]);
  return exchange;
}

/** Returns the reactions to address lists of a peer at these times. */
const lists = (exchange: PeerExchange, nodeId: string, ...times: number[]) =>
  times.map((now) => exchange.received(nodeId, now));

test('a list that was not requested is unsolicited', (t) => {
  const exchange = create();
  t.is(exchange.received(A, 0), 'unsolicited');
  exchange.connected(A, OUT, 0);
  t.is(exchange.received(A, 0), 'unsolicited');
  exchange.connected(B, OUT, 0);
  exchange.ask(false, 0);
  t.is(exchange.received(B, 1), 'unsolicited');
});

test('one request allows one answer; soon after it three repetitions are tolerated, and a fourth is unsolicited', (t) => {
  const early = lists(asking(t), A, 100, 101, 102, 103, 104);
  t.deepEqual(early, ['answer', 'ignored', 'ignored', 'ignored', 'unsolicited']);
  const late = lists(asking(t), A, 100, 3_100);
  t.deepEqual(late, ['answer', 'unsolicited'], 'long after the answer it is no repetition');
});

test('an answer permits nothing to other peers or to the next session', (t) => {
  const exchange = asking(t);
  exchange.connected(B, OUT, 0);
  t.is(exchange.received(B, 1), 'unsolicited');
  exchange.gone(A, false, 0);
  exchange.connected(A, IN, 2);
  t.is(exchange.received(A, 3), 'unsolicited');
});

test('a late answer is accepted: hours later, and for each of two open requests', (t) => {
  const exchange = asking(t);
  t.is(exchange.ask(true, 29_999)[0], undefined);
  t.is(exchange.ask(true, exchange.wakeAt)[0], A);
  t.deepEqual(lists(exchange, A, 9e6, 9e6, 9e6), ['answer', 'answer', 'ignored']);
});

test('a peer that answers neither of two requests is not asked for ten intervals, and never owes more than two answers', (t) => {
  const exchange = create();
  exchange.connected(A, OUT, 0);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    times.push(exchange.wakeAt);
    t.is(exchange.ask(true, exchange.wakeAt)[0], A);
  }
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  t.true(gaps[0]! >= 30_000 && gaps[0]! <= 36_000, String(gaps));
  for (const gap of gaps.slice(1)) t.true(gap >= 300_000 && gap <= 360_000, String(gaps));
  t.deepEqual(lists(exchange, A, 1e7 + 1, 1e7 + 2, 1e7 + 3), ['answer', 'answer', 'ignored']);
});

/**
 * Simulates an hour of two nodes that are each other's only peer and always want more addresses.
 * Returns the numbers of their requests.
 */
function anHour(t: ExecutionContext, seed: number, latency: number, loss: number) {
  const random = seededRandom(seed);
  const nodes = [create({}, seed), create({}, seed + 1_000)] as const;
  const ids = [A, B] as const;
  const wire: { at: number; to: 0 | 1; kind: 'request' | 'addresses' }[] = [];
  const requests = [0, 0];
  nodes[0].connected(B, OUT, 0);
  nodes[1].connected(A, IN, random() * 1_000);
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
      if (nodes[me].ask(true, now).length > 0) send(me === 0 ? 1 : 0, 'request', now);
    }
    while (wire.length > 0 && wire[0]!.at <= now) {
      const { to, kind } = wire.shift()!;
      const from = to === 0 ? 1 : 0;
      if (kind === 'request') {
        requests[to]!++;
        const verdict = nodes[to].requested(ids[from], now);
        if (verdict !== 'answer') return t.fail(`seed ${seed}: ${verdict} at ${now}`);
        send(from, 'addresses', now);
      } else {
        const kind = nodes[to].received(ids[from], now);
        if (kind !== 'answer') return t.fail(`seed ${seed}: ${kind} at ${now}`);
      }
    }
  }
  return requests;
}

for (const [title, count, latencies, loss, least] of [
  ['whatever the latency', 20, [1, 200, 5_000, 20_000], 0, 60],
  ['if messages are lost, either', 50, [2_000], 0.1, 10],
] as const)
  test(`the planner of requests never violates the limit of the other end, ${title}`, (t) => {
    for (const seed of seeds(count))
      for (const latency of latencies) {
        const requests = anHour(t, seed, latency, loss) ?? [0, 0];
        for (const count of requests)
          t.true(count > least, `seed ${seed}, latency ${latency}: ${count} requests`);
      }
  });
