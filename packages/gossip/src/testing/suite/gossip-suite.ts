// The behaviors of gossip that every overlay must show, as tests over TCP on loopback with TLS,
// which proves the ids of nodes.

import ava from 'ava';
import { fullMesh } from '../../overlay/full-mesh.ts';
import { partialView } from '../../overlay/partial-view.ts';
import { type DeclareTest, GossipFixture } from './gossip-fixture.ts';
import { joining } from './joining.ts';
import { publishers } from './publishers.ts';
import { receipts } from './receipts.ts';
import { recipients } from './recipients.ts';
import { relays } from './relays.ts';
import { slowPeers } from './slow-peers.ts';

/**
 * The overlays under test. A lost neighbor may be asked again soon, because the tests split and
 * join networks within a second.
 */
const OVERLAYS = [fullMesh(), partialView({ denyWindow: 100, mergeInterval: 1_000 })];

/**
 * Declares one test per behavior and overlay. The tests run one after the other, so that none has
 * to wait for the links of a hundred others.
 */
export function gossipSuite(): void {
  for (const overlay of OVERLAYS) {
    const test: DeclareTest = (title, check) =>
      ava.serial(`TLS, ${overlay.name}: ${title}`, async (t) => {
        t.timeout(60_000);
        const fixture = new GossipFixture(overlay);
        try {
          await check(t, fixture);
        } finally {
          t.deepEqual(await fixture.close(), []);
        }
      });
    for (const behaviors of [recipients, publishers, receipts, slowPeers, joining]) behaviors(test);
    if (overlay.name === 'fullMesh') relays(test);
  }
}
