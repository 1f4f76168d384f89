// What gossip promises on every backend and with every overlay.

import test from 'ava';
import { fullMesh } from '../../overlay/full-mesh.ts';
import { partialView } from '../../overlay/partial-view.ts';
import { closing } from './closing.ts';
import { coming } from './coming.ts';
import { differing } from './differing.ts';
import type { GossipBackend } from './network.ts';
import { reading } from './reading.ts';
import { receipts } from './receipts.ts';
import { recipients } from './recipients.ts';
import { relays } from './relays.ts';
import { type Behaviour, Scene } from './scene.ts';
import { sizes } from './sizes.ts';
import { waiting } from './waiting.ts';

const BEHAVIOURS: readonly Behaviour[] = [...recipients, ...sizes, ...relays, ...reading, ...receipts, ...waiting, ...coming, ...differing, ...closing];

/** A node that was parted from is asked again soon: tests part and meet within a second. */
const OVERLAYS = [fullMesh(), partialView({ denyWindow: 100, mergeInterval: 1_000 })];

/** A test for each behaviour and overlay, one after the other: none has to wait for a hundred others' links. */
export function gossipSuite(backend: GossipBackend): void {
  for (const overlay of OVERLAYS) {
    for (const { title, overlay: only, check } of BEHAVIOURS) {
      if (only !== undefined && only !== overlay.name) continue;
      test.serial(`${backend.name}, ${overlay.name}: ${title}`, async (t) => {
        if (!backend.simulated) t.timeout(60_000);
        for (const network of backend.networks()) {
          try {
            await check(t, new Scene(network, overlay));
          } finally {
            t.deepEqual(await network.close(), [], network.name);
          }
        }
      });
    }
  }
}
