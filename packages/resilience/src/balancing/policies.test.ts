// Tests of the policies, of slow start and of addresses that are down.

import type { ClientCall } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { fakeCall } from '../testing/fake-call.ts';
import { AddressState } from './address-state.ts';
import { leastLoaded } from './least-loaded.ts';
import { pickFirst } from './pick-first.ts';
import type { BalancingPolicy, PickingPolicy } from './policy.ts';
import { rendezvous } from './rendezvous.ts';
import { roundRobin } from './round-robin.ts';

const settings = { random: () => 0.5, slowStart: 0, healthCheck: false, changed: () => {} };
const addressesOf = (weights: Record<string, number>, slowStart = 0) =>
  Object.entries(weights).map(
    ([address, weight]) => new AddressState({ address, weight }, { ...settings, slowStart }),
  );
const pickerOf = (policy: BalancingPolicy, seed = 1) =>
  (policy as PickingPolicy).create(seededRandom(seed));

/** Counts the choices of a policy. */
function choices(
  policy: BalancingPolicy,
  addresses: readonly AddressState[],
  calls: number,
  call: (n: number) => ClientCall = () => fakeCall(),
) {
  const picker = pickerOf(policy);
  const counts: Record<string, number> = {};
  const order: string[] = [];
  for (let n = 0; n < calls; n++) {
    const { address } = picker.pick(addresses, call(n), 0);
    counts[address] = (counts[address] ?? 0) + 1;
    order.push(address);
  }
  return { counts, order: order.join('') };
}

test('pick-first stays with one address while it takes calls', (t) => {
  const [a, b, c] = addressesOf({ a: 1, b: 1, c: 1 }) as [AddressState, AddressState, AddressState];
  const picker = pickerOf(pickFirst());
  t.is(picker.pick([a, b, c], fakeCall(), 0), a);
  t.is(picker.pick([b, c], fakeCall(), 0), b);
  t.is(picker.pick([a, b, c], fakeCall(), 0), a, 'one attempt has avoided it');
  a.eject(true, 0);
  t.is(picker.pick([b, c], fakeCall(), 0), b);
  a.eject(false, 0);
  t.is(picker.pick([a, b, c], fakeCall(), 0), b, 'it does not return by itself');
  const starts = new Set(
    Array.from({ length: 20 }, (_, seed) =>
      pickerOf(pickFirst({ shuffle: true }), seed).pick([a, b, c], fakeCall(), 0),
    ),
  );
  t.is(starts.size, 3);
});

test('round-robin takes turns, by weight and spread evenly', (t) => {
  t.deepEqual(choices(roundRobin(), addressesOf({ a: 1, b: 1, c: 1 }), 9).counts, {
    a: 3,
    b: 3,
    c: 3,
  });
  const { counts, order } = choices(roundRobin(), addressesOf({ a: 5, b: 1, c: 1, d: 0 }), 14);
  t.deepEqual(counts, { a: 10, b: 2, c: 2 });
  t.is(order, 'aabacaaaabacaa');
  t.deepEqual(choices(roundRobin(), addressesOf({ a: 0, b: 0 }), 4).counts, { a: 2, b: 2 });
});

test('least-loaded prefers short queues and fast servers, and spreads by weight', (t) => {
  const addresses = addressesOf({ slow: 1, fast: 1, busy: 1 });
  for (const [i, latency] of [100, 10, 10].entries()) {
    addresses[i]!.started();
    addresses[i]!.ended('success', latency, 0);
  }
  for (let n = 0; n < 20; n++) addresses[2]!.started();
  const { counts } = choices(leastLoaded(), addresses, 300);
  t.is(counts['busy'], undefined, 'it costs most of any pair');
  t.true(counts['fast']! > 150 && counts['slow']! > 50, JSON.stringify(counts));

  const weighted = addressesOf({ light: 1, heavy: 3 });
  const picker = pickerOf(leastLoaded());
  for (const address of weighted) {
    address.started();
    address.ended('success', 10, 0);
  }
  // Calls stay in flight, so the load settles in proportion to the weights.
  for (let n = 0; n < 400; n++) picker.pick(weighted, fakeCall(), 0).started();
  t.true(Math.abs(weighted[1]!.inFlight / 400 - 0.75) < 0.02, `${weighted[1]!.inFlight}`);
});

test('an address without an answer gets one call, and more once it has answered', (t) => {
  const [known, fresh] = addressesOf({ known: 1, fresh: 1 }) as [AddressState, AddressState];
  known.started();
  known.ended('success', 10, 0);
  const picker = pickerOf(leastLoaded());
  t.is(picker.pick([known, fresh], fakeCall(), 0), fresh);
  fresh.started();
  t.is(picker.pick([known, fresh], fakeCall(), 0), known);
  fresh.ended('success', 5, 0);
  t.is(picker.pick([known, fresh], fakeCall(), 0), fresh);
});

test('least-loaded prefers any address to one of weight 0, which has not answered', (t) => {
  const [main, spare] = addressesOf({ main: 1, spare: 0 }) as [AddressState, AddressState];
  const picker = pickerOf(leastLoaded());
  for (const pending of [1, 2]) {
    t.is(picker.pick([main, spare], fakeCall(), 0), main, `before call ${pending}`);
    main.started();
  }
  main.ended('success', 10, 0);
  t.is(picker.pick([main, spare], fakeCall(), 0), main);
});

test('latency rises at once, and falls with time', (t) => {
  const [address] = addressesOf({ a: 1 }) as [AddressState];
  const answer = (latency: number, now: number) => {
    address.started();
    address.ended('success', latency, now);
  };
  answer(10, 0);
  answer(500, 0);
  t.is(address.latencyAt(0), 500);
  answer(10, 0);
  t.is(address.latencyAt(0), 500, 'no time has passed');
  answer(10, 10_000);
  t.true(Math.abs(address.latencyAt(10_000)! - (500 / Math.E + 10 * (1 - 1 / Math.E))) < 1e-9);
  address.started();
  address.ended('failure', 1, 10_000);
  t.true(address.latencyAt(10_000)! > 350, 'a fast failure counts as a slow answer');
});

const byRequest = rendezvous(({ request }) => request as string);

test('rendezvous keeps a key at its address, and moves only the keys of one that left', (t) => {
  const addresses = addressesOf({ a: 1, b: 1, c: 1, d: 1 });
  const placed = (among: readonly AddressState[]) => {
    const picker = pickerOf(byRequest);
    return Array.from(
      { length: 1_000 },
      (_, n) => picker.pick(among, fakeCall({ request: `key ${n}` }), 0).address,
    );
  };
  const before = placed(addresses);
  for (const { address } of addresses) {
    const share = before.filter((each) => each === address).length;
    t.true(share > 200 && share < 300, `${address}: ${share}`);
  }
  const after = placed(addresses.slice(1));
  t.true(before.every((address, n) => address === 'a' || address === after[n]));
  t.deepEqual(placed(addresses.toReversed()), before, 'the order of the list does not matter');
});

test('rendezvous places keys in proportion to weights', (t) => {
  const { counts } = choices(byRequest, addressesOf({ a: 1, b: 3, c: 0 }), 4_000, (n) =>
    fakeCall({ request: `key ${n}` }),
  );
  t.true(Math.abs(counts['b']! / 4_000 - 0.75) < 0.03, JSON.stringify(counts));
  t.is(counts['c'], undefined);
  const spread = choices(
    rendezvous(() => undefined),
    addressesOf({ a: 1, b: 1 }),
    1_000,
  ).counts;
  t.true(spread['a']! > 400 && spread['b']! > 400, 'calls without a key are spread');
});

test('the placement of rendezvous is the same in each release', (t) => {
  const { order } = choices(byRequest, addressesOf({ a: 1, b: 1, c: 2 }), 24, (n) =>
    fakeCall({ request: `key ${n}` }),
  );
  t.is(order, 'abccacaabbccccaaacaccaca');
});

test('an address that was down gets a small weight at first', (t) => {
  const [address] = addressesOf({ a: 10 }, 60_000) as [AddressState];
  t.is(address.weightAt(0), 10);
  address.started();
  address.ended('unreachable', 1, 0);
  address.started();
  address.ended('success', 1, 1_000);
  t.is(address.weightAt(1_000), 1);
  t.is(address.weightAt(31_000), 5);
  t.is(address.nextChange(31_000), 61_000);
  t.is(address.nextChange(61_000), Number.POSITIVE_INFINITY);
  t.is(address.weightAt(61_000), 10);
  t.false(address.isStarting);
});

test('an address that cannot be reached is left alone, then probed by one call at a time', (t) => {
  const [address] = addressesOf({ a: 1 }) as [AddressState];
  const misses = (now: number) => {
    address.started();
    address.ended('unreachable', 1, now);
  };
  misses(0);
  t.is(address.statusAt(0), 'down');
  t.false(address.takesCalls(999));
  t.true(address.takesCalls(1_000), 'a second later, as random returns 0.5');
  address.started();
  t.is(address.statusAt(1_000), 'probing');
  t.false(address.takesCalls(1_000), 'its probe is pending');
  address.ended('unreachable', 1, 1_000);
  t.false(address.takesCalls(2_599));
  t.true(address.takesCalls(2_600), '1.6 times as long');
  address.started();
  address.ended('ignored', 1, 2_600);
  t.true(address.takesCalls(2_600), 'a canceled probe says nothing');
  address.started();
  address.ended('success', 1, 2_600);
  t.is(address.statusAt(2_600), 'up');
});

test('calls that fail by one lost connection count once, and one may dial at once', (t) => {
  const [address] = addressesOf({ a: 1 }) as [AddressState];
  for (let n = 0; n < 10; n++) address.started();
  for (let n = 0; n < 10; n++) address.ended('lost', 1, 0);
  t.true(address.takesCalls(0));
  address.started();
  t.false(address.takesCalls(0));
  address.ended('unreachable', 1, 5);
  for (let n = 0; n < 5; n++) {
    address.started();
    address.ended('unreachable', 1, 6);
  }
  t.true(address.takesCalls(1_610), `down for about 1.6 s at most`);
  t.is(address.failures, 16);
});
