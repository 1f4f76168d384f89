// Tests of the overlay that combines HyParView and Plumtree, of detecting silence, and of the
// neighbors of a node that only publishes.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { PartialViewInput } from '../hyparview/message.ts';
import type { OverlayInput, OverlayOutput } from './overlay.ts';
import { partialView, StallDetector, SubscriberView } from './partial-view.ts';

const create = (active: number, isSource = false) =>
  partialView({ active, tree: { cacheMessages: 2 } }).create({
    isSource,
    isDistrusted: () => false,
    self: 'me',
    random: seededRandom(1),
    now: 0,
    look: () => 'seen',
  });

test('a neighbor that receives everything and forwards nothing is replaced', (t) => {
  const outputs: OverlayOutput[] = [];
  let now = 0;
  const feed = (input: OverlayInput) => {
    overlay.handle(now, input);
    for (let output = overlay.poll(); output !== undefined; output = overlay.poll()) {
      outputs.push(output);
      if (output.type !== 'send-view') continue;
      const { to: from, message: asked } = output;
      if (asked.type !== 'neighbor' && asked.type !== 'join') continue;
      const message = { type: 'accept', request: asked.request };
      overlay.handle(now, { type: 'viewed', from, message });
    }
  };
  const overlay = create(2);
  feed({ type: 'peer-up', peer: 'mute', isChosen: true });
  feed({ type: 'peer-up', peer: 'good', isChosen: true });
  // A newcomer first waits a moment for the nodes to which it was introduced.
  for (; now < 5_000 && overlay.neighbors().length < 2; now += 100) feed({ type: 'wake' });
  t.deepEqual([...overlay.neighbors()].sort(), ['good', 'mute']);
  for (const from of ['mute', 'good']) feed({ type: 'received', from, message: { kind: 'prune' } });
  const payload = { audience: 'all', nodes: [], payload: new Uint8Array(1), message: 1 } as const;
  for (let sequence = 1; sequence <= 200 && overlay.neighbors().includes('mute'); sequence++) {
    now += 970;
    const id = { origin: 'me', epoch: 1, sequence };
    const message = { kind: 'push', id, hops: 1, payload: { ...payload }, size: 1 } as const;
    feed({ type: 'publish', message, receipts: 0 });
    now += 10;
    feed({ type: 'wake' });
    // A peer that has the message from elsewhere gives notice of it.
    now += 20;
    const notices = [{ id, hops: 3 }];
    feed({ type: 'received', from: 'good', message: { kind: 'ihave', notices } });
  }
  t.deepEqual(overlay.neighbors(), ['good']);
  const said = outputs.map((output) => {
    if (output.type === 'send-view') return `${output.message.type} ${output.to}`;
    if (output.type === 'neighbor-down') return `${output.peer} ${output.cause}`;
    return output.type === 'misbehaved' ? `misbehaved ${output.peer} ${output.what}` : '';
  });
  for (const what of ['misbehaved mute mute', 'mute evicted', 'disconnect mute'])
    t.true(said.includes(what), said.join());
  t.false(said.some((what) => what.startsWith('misbehaved good')));
});

test('a new neighbor gets an offered message that is no longer cached, if it has room', (t) => {
  const overlay = create(1, true);
  const payload = { audience: 'all', nodes: [], payload: new Uint8Array(1), message: 1 } as const;
  const feed = (type: 'publish' | 'offer') => (sequence: number) => {
    const id = { origin: 'me', epoch: 1, sequence };
    const message = { kind: 'push', id, hops: 1, payload, size: 1 } as const;
    overlay.handle(0, { type, message, receipts: 0, peer: 'a' });
    const said: string[] = [];
    for (let output = overlay.poll(); output !== undefined; output = overlay.poll()) {
      said.push(output.type);
      if (output.type === 'push') overlay.handle(0, { type: 'no-room', output });
    }
    return said.join();
  };
  [1, 2, 3].map(feed('publish'));
  overlay.handle(0, { type: 'peer-up', peer: 'a', isChosen: true });
  t.deepEqual([3, 1, 2].map(feed('offer')), ['neighbor-up,send-control,handed', 'push,handed', '']);
});

/** Calls `isLong` in steps of 100 ms, and returns the times at which it reports a silence. */
function told(stallDetector: StallDetector, from: number, to: number, isPressed = false): number[] {
  const times: number[] = [];
  for (let now = from; now < to; now += 100)
    if (stallDetector.isLong(now, isPressed)) times.push(now - from);
  return times;
}

test('if no peer ever sent a message there is no silence', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  stallDetector.gone('a', 0);
  t.is(stallDetector.due, Number.POSITIVE_INFINITY);
  t.deepEqual(told(stallDetector, 0, 1_000_000), []);
});

test('after messages stop, the silence is reported after 10 s, then less and less often', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  for (let now = 0; now <= 5_000; now += 1_000) stallDetector.heard('a', now);
  const times = told(stallDetector, 5_000, 205_000);
  t.is(times[0], 10_000);
  t.true(times.length >= 4 && times.length <= 5, times.join());
  for (let i = 2; i < times.length; i++)
    t.true(times[i]! - times[i - 1]! > 1.5 * (times[i - 1]! - times[i - 2]!), times.join());
});

test('if messages are rare, it takes longer until silence is reported', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  for (let now = 0; now <= 6_000_000; now += 60_000) {
    stallDetector.heard('a', now);
    if (now > 3_000_000) t.deepEqual(told(stallDetector, now, now + 60_000), []);
  }
});

test('when the last sender is gone, the silence is reported at once', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  stallDetector.heard('a', 0);
  stallDetector.heard('b', 0);
  stallDetector.gone('a', 1_000);
  stallDetector.gone('taker', 1_000);
  t.false(stallDetector.isLong(2_000, false));
  stallDetector.gone('b', 2_000);
  t.true(stallDetector.isLong(2_600, false));
  t.false(stallDetector.isLong(2_700, false));
});

test('if many nodes request links, the silence is reported every 10 s', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  stallDetector.heard('a', 0);
  const { length } = told(stallDetector, 0, 100_000, true);
  t.true(length >= 8 && length <= 11, `${length}`);
});

function setUp(most = 2) {
  const distrusted = new Set<string>();
  const view = new SubscriberView(most, seededRandom(1), (peer) => distrusted.has(peer));
  const tell = (input: PartialViewInput) => {
    view.handle(0, input);
    const said: string[] = [];
    for (let output = view.poll(); output !== undefined; output = view.poll())
      if (output.type === 'neighbor-up') said.push(`${output.peer} up`);
      else if (output.type === 'neighbor-down') said.push(`${output.peer} ${output.cause}`);
    return said;
  };
  const found = (...nodes: string[]) => tell({ type: 'found', nodes, isChosen: true });
  return { view, distrusted, tell, found };
}

test('a few subscribers are neighbors; one that is lost, leaves or is mute is replaced', (t) => {
  const { view, tell, found } = setUp();
  t.deepEqual([...found('a'), ...found('b')], ['a up', 'b up']);
  t.deepEqual(found('c'), []);
  t.deepEqual(view.passive(), ['c']);
  t.deepEqual(tell({ type: 'lost', peer: 'a', error: undefined }), ['a left', 'c up']);
  t.deepEqual(tell({ type: 'dismiss', peer: 'b' }), ['b evicted']);
  t.deepEqual(found('b'), ['b up']);
  t.deepEqual(tell({ type: 'leave' }), ['c closed', 'b closed']);
  t.deepEqual([view.active(), view.passive()], [[], []]);
});

test('a distrusted subscriber is chosen last, and replaced as soon as another one is there', (t) => {
  const { distrusted, tell, found } = setUp(1);
  for (const peer of ['bad', 'worse']) distrusted.add(peer);
  t.deepEqual(found('bad', 'a'), ['a up']);
  t.deepEqual(tell({ type: 'lost', peer: 'a', error: undefined }), ['a left', 'bad up']);
  t.deepEqual(tell({ type: 'distrusted' }), []);
  found('b');
  t.deepEqual(tell({ type: 'distrusted' }), ['bad evicted', 'b up']);
  t.deepEqual(tell({ type: 'lost', peer: 'b', error: undefined }), ['b left', 'bad up']);
});
