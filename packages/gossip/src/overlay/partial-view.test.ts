// Tests of the overlay that combines HyParView and Plumtree.

import { seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import type { OverlayHost } from './overlay.ts';
import { partialView } from './partial-view.ts';

test('a neighbor that takes everything and passes nothing on loses its place', (t) => {
  const said: string[] = [];
  let now = 0;
  const host = new Proxy({} as OverlayHost, {
    get:
      (_, name) =>
      (...given: unknown[]) => {
        const [peer, what] = given as [
          string,
          { readonly type?: string; readonly kind?: string; readonly request?: number } | string,
        ];
        if (name === 'view' && typeof what === 'object') {
          if (what.type === 'neighbor' || what.type === 'join')
            overlay.viewed(peer, { type: 'accept', request: what.request }, now);
          said.push(`${what.type} ${peer}`);
        } else if (name === 'neighborDown' || name === 'misbehaved') {
          said.push(`${String(name)} ${peer} ${String(what)}`);
        }
        return true;
      },
  });
  const overlay = partialView({ active: 2 }).create({
    self: 'me',
    random: seededRandom(1),
    now: 0,
    host,
    latest: () => Number.POSITIVE_INFINITY,
  });
  overlay.peerUp('mute', true, 0);
  overlay.peerUp('good', true, 0);
  // A newcomer first waits a moment for the nodes to which it was introduced.
  for (; now < 5_000 && overlay.neighbors().length < 2; now += 100) overlay.wake(now);
  t.deepEqual([...overlay.neighbors()].sort(), ['good', 'mute']);
  overlay.controlled('mute', { kind: 'prune' }, now);
  overlay.controlled('good', { kind: 'prune' }, now);
  const payload = { audience: 'all', nodes: [], payload: new Uint8Array(1), message: 1 } as const;
  for (let sequence = 1; sequence <= 200 && overlay.neighbors().includes('mute'); sequence++) {
    now += 1_000;
    const id = { origin: 'me', epoch: 1, sequence };
    overlay.publish({ id, body: { ...payload } }, now, 0);
    overlay.wake(now + 10);
    // A peer that has the message from elsewhere gives notice of it.
    overlay.controlled('good', { kind: 'ihave', notices: [{ id, hops: 3 }] }, now + 20);
  }
  t.deepEqual(overlay.neighbors(), ['good']);
  t.true(
    said.includes('misbehaved mute mute') &&
      said.includes('neighborDown mute evicted') &&
      said.includes('disconnect mute'),
    said.join(),
  );
  t.false(said.some((what) => what.startsWith('misbehaved good')));
});
