// Property tests of the dial planner in random worlds.

import type { ErrorReason } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import type { DialOrder } from './dial-order.ts';
import { addressKey, hostOf } from './targets.ts';
import {
  addPersistent,
  idOf,
  type Outcome,
  PlannerFixture,
  RECONNECT,
  refused,
  reset,
  someone,
} from './testing/planner-fixture.ts';

const REASONS =
  `connection_refused dial_timeout identity_mismatch full denied reset wrong_network self
  host_not_found`.split(/\s+/) as ErrorReason[];
const ENDS = 'reset ping_timeout closed denied malformed disconnected full'.split(
  ' ',
) as ErrorReason[];

/**
 * Decides the outcome of a dial. The same dial always has the same outcome, regardless of the order
 * of dials.
 */
function fate(seed: number, order: DialOrder, count: number): Outcome {
  const random = seededRandom(hash(`${seed} ${order.address} ${count}`));
  const after = 50 * Math.floor(random() * 100);
  if (random() < 0.5) {
    const reason = REASONS[Math.floor(random() * (random() < 0.02 ? REASONS.length : 7))]!;
    return { after, error: reasonError(reason, reason) };
  }
  const end = ENDS[Math.floor(random() * ENDS.length)]!;
  return {
    after,
    nodeId: order.nodeId ?? idOf(hash(order.address) & 0xffff),
    lives: 50 * Math.floor(random() ** 4 * 4_000),
    end: reasonError(end, end),
  };
}

function hash(text: string): number {
  let state = 7;
  for (const char of text) state = (Math.imul(state, 31) + char.charCodeAt(0)) | 0;
  return state;
}

function randomWorld(seed: number, poll?: number) {
  const random = seededRandom(seed);
  const between = (least: number, most: number) =>
    least + Math.floor(random() * (most - least + 1));
  const list = <T>(count: number, make: (i: number) => T) =>
    Array.from({ length: count }, (_, i) => make(i));
  const [persistent, seeds, book] = [between(0, 12), between(0, 4), between(0, 60)];
  const limits = {
    maxOutbound: between(0, 20),
    perHost: random() < 0.5 ? between(1, 3) : undefined,
  };
  const fixture = new PlannerFixture({
    ...limits,
    ...(poll === undefined ? {} : { poll }),
    seed,
    grain: 50,
    persistent: list(persistent, (i) => (i % 2 === 0 ? `p${i}:1` : `${idOf(5_000 + i)}@p${i}:1`)),
    seeds: list(seeds, (i) => `s${i}:1`),
    book: list(book, (i) =>
      i % 5 === 0 ? { nodeId: idOf(i + 1), address: `shared:${i}` } : someone(i + 1),
    ),
    tests: list(20, (i) => someone(i + 30)),
    reconnect: random() < 0.2 ? { interval: 5_000, max: 5_000, jitter: 0 } : RECONNECT,
    outcome: (order, count) => fate(seed, order, count),
  });
  return { fixture, limits };
}

const print = (fixture: PlannerFixture) =>
  fixture.dialed.map(({ at, kind, address }) => `${at} ${kind} ${address}`);

test('polled only when it is due, the planner gives the same orders as when it is polled every 50 ms', (t) => {
  for (const seed of seeds(60)) {
    const [due, polled] = [randomWorld(seed).fixture, randomWorld(seed, 50).fixture];
    for (const fixture of [due, polled]) {
      fixture.at(60_000, () => {
        fixture.planner.setPersistent(['p0:1', 'new:1', `${idOf(5_001)}@p1:2`]);
        fixture.ask();
      });
      fixture.run(240_000);
    }
    t.deepEqual(print(due), print(polled), `seed ${seed}`);
    t.true(due.asked < polled.asked);
  }
});

test('there are never two dials to one address or id, no limit is exceeded, and every persistent target gets its turn', (t) => {
  let orders = 0;
  for (const seed of seeds(120)) {
    const random = seededRandom(seed);
    const { fixture, limits } = randomWorld(seed);
    const { maxOutbound, perHost = Number.POSITIVE_INFINITY } = limits;
    const recent: number[] = [];
    fixture.check = (ordered) => {
      const dials = [...fixture.underWay];
      const count = (...kinds: DialOrder['kind'][]) =>
        dials.filter(({ kind }) => kinds.includes(kind)).length;
      const starts = (...kinds: DialOrder['kind'][]) =>
        ordered.some(({ kind }) => kinds.includes(kind));
      const fail = (what: string) => t.fail(`seed ${seed}, at ${fixture.now}: ${what}`);
      if (new Set(dials.map(({ address }) => addressKey(address))).size < dials.length)
        fail('an address twice');
      const ids = dials.flatMap(({ nodeId }) => nodeId ?? []);
      if (new Set(ids).size < ids.length) fail('an id twice');
      const others = dials.length - count('persistent');
      if (others > 16) fail(`${others} dials at once`);
      if (count('persistent') > 64 || count('test') > 1 || count('seed') > 2) fail('a kind');
      const ordinary = count('book', 'again', 'seed');
      // A dial with all places filled replaces another peer.
      const isFull = fixture.outbound >= maxOutbound;
      const fills = starts('book') || (starts('seed') && !isFull);
      if (fills && fixture.outbound + ordinary > maxOutbound) fail('maxOutbound');
      if (count('again') > Math.max(4, maxOutbound - fixture.outbound)) fail('lost peers');
      if (maxOutbound === 0 && starts('again', 'spare')) fail('links where none are wanted');
      if (count('spare') > 1) fail('two spare dials at once');
      const hosts = new Map<string, number>();
      for (const { kind, address } of dials)
        if (kind !== 'persistent' && kind !== 'seed')
          hosts.set(hostOf(address), (hosts.get(hostOf(address)) ?? 0) + 1);
      if (Math.max(0, ...hosts.values()) > perHost) fail('perHost');
      for (const { kind, nodeId } of ordered) {
        orders++;
        if (nodeId !== undefined && fixture.isConnected(nodeId)) fail('dials who is connected');
        if (kind !== 'persistent') recent.push(fixture.now);
      }
      while (recent.length > 0 && recent[0]! <= fixture.now - 10_000) recent.shift();
      if (recent.length > 220) fail(`${recent.length} dials in ten seconds`);
    };
    for (let i = 0; i < 40; i++) {
      const at = Math.floor(random() * 600_000);
      const id = idOf(1 + Math.floor(random() * 60));
      fixture.at(at, () => (fixture.isConnected(id) ? undefined : fixture.comeIn(id)));
      if (random() < 0.5)
        fixture.at(at + 30_000, () =>
          fixture.isConnected(id) ? fixture.lose(id, undefined, reset) : undefined,
        );
    }
    for (let i = 0; i < 40; i++) {
      const [named, other] = [someone(1 + Math.floor(random() * 60)), `s${i % 4}:1`];
      fixture.at(Math.floor(random() * 600_000), () => {
        const moved = `${named.nodeId}@elsewhere${i}:1`;
        const added = random() < 0.3 ? other : random() < 0.5 ? named.address : moved;
        addPersistent(fixture, added);
        fixture.ask();
        fixture.planner.removePersistent(added);
      });
    }
    fixture.at(200_000, () => {
      fixture.planner.setPersistent([...fixture.planner.persistent.texts, 'late:1']);
      fixture.ask();
    });
    fixture.run(900_000);
    for (const text of fixture.planner.persistent.texts) {
      const address = text.slice(text.indexOf('@') + 1);
      if (!fixture.dialed.some((order) => order.address === address))
        t.fail(`seed ${seed}: ${text} was never dialed`);
    }
  }
  t.true(orders > 5_000, String(orders));
});

test('when the server of a thousand nodes restarts, no peak of dials exceeds twice an even spread over the back-off', (t) => {
  for (const [away, bin] of Object.entries({ 0: 100, 10000: 1_000, 600000: 6_000 })) {
    const dials = Array.from({ length: 1_000 }, (_, i) => dialsAfterRestart(i + 1, Number(away)));
    const counts = new Map<number, number>();
    let window = 0;
    for (const { at, wait } of dials) {
      counts.set(Math.floor(at / bin), (counts.get(Math.floor(at / bin)) ?? 0) + 1);
      window += (0.4 * wait) / dials.length; // ±20 % of the wait before the dial.
    }
    const even = (dials.length * bin) / window;
    const peak = Math.max(...counts.values());
    t.true(peak <= 2 * even, `away ${away} ms: peak ${peak}, even ${even} in ${bin} ms`);
  }
});

/** Returns the time of the first dial that the restarted server answers, and the wait before it. */
function dialsAfterRestart(seed: number, away: number): { at: number; wait: number } {
  const nodeId = idOf(1);
  const fixture = new PlannerFixture({ persistent: [`${nodeId}@server:1`], maxOutbound: 0, seed });
  const { planner } = fixture;
  planner.opened(planner.plan(0)[0]!, nodeId, 0);
  fixture.isConnected = () => true;
  planner.plan(100);
  fixture.isConnected = () => false;
  let last = 3_600_000;
  let now = last;
  const peer = { nodeId, address: 'server:1', persistent: true };
  planner.lost(peer, reset, now);
  for (;;) {
    const [order] = planner.plan(now);
    if (order === undefined) now = Math.max(now, planner.wakeAt);
    else if (now - 3_600_000 >= away) return { at: now, wait: now - last };
    else {
      planner.failed(order, refused, now);
      last = now;
    }
  }
}
