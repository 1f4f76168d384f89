// The behaviors of gossip that every backend and every overlay must show, as tests.

import test from 'ava';
import { fullMesh } from '../../overlay/full-mesh.ts';
import { partialView } from '../../overlay/partial-view.ts';
import { type Behavior, GossipFixture } from './gossip-fixture.ts';
import { joining } from './joining.ts';
import type { GossipBackend } from './network.ts';
import { publishers } from './publishers.ts';
import { reading } from './reading.ts';
import { receipts } from './receipts.ts';
import { recipients } from './recipients.ts';
import { relays } from './relays.ts';
import { sizes } from './sizes.ts';
import { slowPeers } from './slow-peers.ts';

const BEHAVIORS: readonly Behavior[] = [
  ...recipients,
  ...publishers,
  ...sizes,
  ...relays,
  ...reading,
  ...receipts,
  ...slowPeers,
  ...joining,
];

/**
 * The overlays under test. A lost neighbor may be asked again soon, because the tests split and
 * join networks within a second.
 */
const OVERLAYS = [fullMesh(), partialView({ denyWindow: 100, mergeInterval: 1_000 })];

/**
 * Declares one test per behavior and overlay. They run one after the other, so that no test has to
 * wait for the links of a hundred others.
 */
export function gossipSuite(backend: GossipBackend): void {
  for (const overlay of OVERLAYS) {
    for (const { title, overlay: only, check } of BEHAVIORS) {
      if (only !== undefined && only !== overlay.name) continue;
      test.serial(`${backend.name}, ${overlay.name}: ${title}`, async (t) => {
        if (!backend.simulated) t.timeout(60_000);
        for (const network of backend.networks()) {
          try {
            await check(t, new GossipFixture(network, overlay));
          } finally {
            t.deepEqual(await network.close(), [], network.name);
          }
        }
      });
    }
  }
}
