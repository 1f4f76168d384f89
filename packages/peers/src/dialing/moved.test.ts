// Tests of persistent peers whose last address differs from the operator's.

import type { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { DialOrder } from './dial-order.ts';
import type { LostPeer } from './targets.ts';
import { idOf, PlannerFixture, refused, reset } from './testing/planner-fixture.ts';

const ID = idOf(1);
/** A lost peer that had dialed this node and whose address the book has. */
const lost = { nodeId: ID, address: undefined, booked: 'new:2', persistent: true };
const reconnect = { interval: 1_000, max: 120_000, jitter: 0 };

/** A planner whose clock advances to the next dial. */
class Scene extends PlannerFixture {
  whereabouts: (nodeId: string) => string | undefined = () => undefined;

  constructor(persistent: readonly string[] = [`${ID}@old:1`], maxOutbound = 0) {
    super({ persistent, maxOutbound, reconnect });
  }

  next(): DialOrder {
    for (;;) {
      const [order] = this.planner.plan(this.now);
      if (order !== undefined) return order;
      this.now = Math.max(this.now, this.planner.wakeAt);
    }
  }

  /** Runs `count` dials and fails each of them. */
  fail(count: number, why: (order: DialOrder) => TransportError = () => refused): DialOrder[] {
    return Array.from({ length: count }, () => {
      const order = this.next();
      this.planner.failed(order, why(order), this.now);
      return order;
    });
  }

  lost(peer: LostPeer): void {
    this.planner.lost(peer, reset, this.now);
  }
}

/** Returns whether all these dials go to an address. */
const all = (orders: readonly DialOrder[], address: string) =>
  orders.every((order) => order.address === address);

test('a peer that last advertised another address is dialed there and at the configured one in turn', (t) => {
  const scene = new Scene();
  t.deepEqual(scene.fail(1), [{ address: 'old:1', nodeId: ID, kind: 'persistent' }]);
  scene.lost(lost);
  for (const [i, { address, nodeId, reported = false }] of scene.fail(6).entries()) {
    const expected = i % 2 === 0 ? ['new:2', ID, true] : ['old:1', ID, false];
    t.deepEqual([address, nodeId, reported], expected, 'the source of the address is reported');
  }
});

test('a link to the last address ends the search, and when it is lost both addresses are dialed again', (t) => {
  const scene = new Scene();
  scene.lost(lost);
  scene.fail(1);
  const order = scene.next();
  t.is(order.address, 'new:2');
  scene.planner.opened(order, ID, scene.now);
  scene.isConnected = () => true;
  t.deepEqual(scene.planner.plan(scene.now + 3_600_000), []);
  scene.isConnected = () => false;
  scene.lost({ nodeId: ID, address: 'new:2', persistent: true });
  const addresses = scene.fail(2).map(({ address }) => address);
  t.deepEqual(addresses.sort(), ['new:2', 'old:1']);
});

test('a peer that returned to its configured address is dialed only there', (t) => {
  const scene = new Scene();
  scene.lost(lost);
  scene.lost({ nodeId: ID, address: 'OLD:1', persistent: true });
  t.true(all(scene.fail(6), 'old:1'));
});

test('an address without an id stands for itself: none from the peer or the book is tried', (t) => {
  const scene = new Scene(['old:1']);
  scene.whereabouts = () => 'new:3';
  scene.planner.opened(scene.next(), ID, scene.now);
  scene.lost(lost);
  t.true(all(scene.fail(6), 'old:1'));
});

test('if the peer advertised an own address of this node, the configured one is dialed, without a hot loop', (t) => {
  const scene = new Scene();
  scene.lost(lost);
  const orders = scene.fail(8, ({ reported }) =>
    reported ? reasonError('self', 'it was us') : refused,
  );
  t.is(orders.filter(({ address }) => address === 'old:1').length, 4);
  t.true(scene.now > 20_000, `8 dials in ${scene.now} ms`);
});

test('if the peer advertised the address of another that is being dialed, only that dial continues', (t) => {
  const scene = new Scene([`${ID}@old:1`, `${idOf(2)}@new:2`]);
  const [one, other] = scene.planner.plan(0);
  t.deepEqual([one!.address, other!.address], ['old:1', 'new:2']);
  scene.planner.failed(one!, refused, 0);
  scene.lost(lost);
  scene.now = 600_000;
  t.deepEqual(scene.planner.plan(scene.now), []);
  scene.planner.opened(other!, idOf(2), scene.now);
  scene.isConnected = (nodeId) => nodeId === idOf(2);
  t.deepEqual(scene.planner.plan(scene.now), [
    { address: 'new:2', nodeId: ID, kind: 'persistent', reported: true },
  ]);
});

test('a peer with an address from the book or from others is dialed there and at the configured one in turn', (t) => {
  const scene = new Scene();
  const dialed = ['booked:2', 'told:3', 'OLD:1', undefined].flatMap((place) => {
    scene.whereabouts = (nodeId) => (nodeId === ID ? place : undefined);
    return scene.fail(2);
  });
  const addresses = dialed.map(({ address, reported }) => (reported ? `*${address}` : address));
  t.deepEqual(addresses, ['old:1', 'old:1', '*told:3', ...Array(5).fill('old:1')]);
});

test('a peer lost by accident is dialed at the address from others, and at its old one while that is not allowed', (t) => {
  for (const most of [2, 3]) {
    const scene = new Scene([], most);
    Object.defineProperty(scene, 'outbound', { value: 2 });
    scene.own.add('own:3');
    scene.whereabouts = () => 'new:2';
    scene.lost({ nodeId: ID, address: 'old:1', persistent: false });
    const [order] = scene.planner.plan(0);
    const again = { nodeId: ID, kind: 'again' } as const;
    t.deepEqual(order, { ...again, address: 'new:2' }, 'the lost address while the other rests');
    scene.now = 20;
    scene.planner.failed(order!, refused, 20);
    scene.whereabouts = () => 'own:3';
    t.deepEqual(scene.planner.plan(2_000), [{ ...again, address: 'old:1' }]);
  }
});

test('a peer that was lost by accident is not dialed at an address where another node answered', (t) => {
  const scene = new Scene([], 2);
  scene.lost({ nodeId: ID, address: 'old:1', persistent: false });
  const order = scene.next();
  t.deepEqual(order, { nodeId: ID, address: 'old:1', kind: 'again' });
  scene.planner.opened(order, idOf(2), scene.now);
  scene.now = 3_600_000;
  t.deepEqual(scene.planner.plan(scene.now), []);
});

test('of two peers lost at one address, only the last is dialed again', (t) => {
  const scene = new Scene([], 2);
  for (const nodeId of [ID, idOf(2)]) scene.lost({ nodeId, address: 'old:1', persistent: false });
  t.is(scene.next().nodeId, idOf(2));
  t.deepEqual(scene.planner.plan(scene.now), []);
});

test('a new list of persistent peers starts with its configured addresses', (t) => {
  const scene = new Scene();
  scene.lost(lost);
  scene.planner.setPersistent([`${ID}@newer:3`]);
  t.true(all(scene.fail(4), 'newer:3'));
});
