// Tests of the overlay that combines HyParView and Plumtree.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { OverlayInput } from './overlay.ts';
import { partialView } from './partial-view.ts';

const create = (active: number) =>
  partialView({ active }).create({
    isSource: false,
    isDistrusted: () => false,
    self: 'me',
    random: seededRandom(1),
    now: 0,
    look: () => 'seen',
  });

test('a neighbor that receives everything and forwards nothing is replaced', (t) => {
  const said: string[] = [];
  let now = 0;
  const feed = (input: OverlayInput) => {
    overlay.handle(now, input);
    for (let output = overlay.poll(); output !== undefined; output = overlay.poll()) {
      if (output.type === 'send-view') {
        const { to, message } = output;
        said.push(`${message.type} ${to}`);
        if (message.type === 'neighbor' || message.type === 'join') {
          const accept = { type: 'accept', request: message.request };
          overlay.handle(now, { type: 'viewed', from: to, message: accept });
        }
      } else if (output.type === 'neighbor-down') {
        said.push(`neighbor-down ${output.peer} ${output.cause}`);
      } else if (output.type === 'misbehaved') {
        said.push(`misbehaved ${output.peer} ${output.what}`);
      }
    }
  };
  const overlay = create(2);
  feed({ type: 'peer-up', peer: 'mute', isChosen: true });
  feed({ type: 'peer-up', peer: 'good', isChosen: true });
  // A newcomer first waits a moment for the nodes to which it was introduced.
  for (; now < 5_000 && overlay.neighbors().length < 2; now += 100) feed({ type: 'wake' });
  t.deepEqual([...overlay.neighbors()].sort(), ['good', 'mute']);
  feed({ type: 'received', from: 'mute', message: { kind: 'prune' } });
  feed({ type: 'received', from: 'good', message: { kind: 'prune' } });
  const payload = { audience: 'all', nodes: [], payload: new Uint8Array(1), message: 1 } as const;
  for (let sequence = 1; sequence <= 200 && overlay.neighbors().includes('mute'); sequence++) {
    now += 970;
    const id = { origin: 'me', epoch: 1, sequence };
    feed({ type: 'publish', message: { id, body: { ...payload } }, receipts: 0 });
    now += 10;
    feed({ type: 'wake' });
    // A peer that has the message from elsewhere gives notice of it.
    now += 20;
    const notices = [{ id, hops: 3 }];
    feed({ type: 'received', from: 'good', message: { kind: 'ihave', notices } });
  }
  t.deepEqual(overlay.neighbors(), ['good']);
  t.true(
    said.includes('misbehaved mute mute') &&
      said.includes('neighbor-down mute evicted') &&
      said.includes('disconnect mute'),
    said.join(),
  );
  t.false(said.some((what) => what.startsWith('misbehaved good')));
});
