// Tests of the options of gossip, its overlays and its relays.

import { createPeers } from '@trunkline/peers';
import test from 'ava';
import { relay } from './driver/relay-driver.ts';
import { createGossip } from './gossip.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { idle, runs, simulationOf } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';

test('invalid options throw a TypeError that names them', (t) => {
  const transport = simulationOf(runs(1)[0]!).client(idle, { name: 'x' });
  const peers = createPeers({ transport });
  const gossip = (options: object) =>
    createGossip({ transport, peers, overlay: fullMesh(), ...options });
  for (const [make, options, message] of [
    [fullMesh, { hops: 0 }, /^fullMesh: hops: must be an integer from 1 to 16/],
    [fullMesh, { hops: 17 }, /^fullMesh: hops: must be an integer from 1 to 16/],
    [fullMesh, { hops: 1.5 }, /^fullMesh: hops: must be an integer from 1 to 16/],
    [fullMesh, { hop: 2 }, /^fullMesh: /],
    [partialView, { active: 0 }, /active/],
    [partialView, { active: 3, own: 3 }, /own/],
    [partialView, { shuffleInterval: -1 }, /shuffleInterval/],
    [partialView, { fanout: 4 }, /fanout/],
    [partialView, { tree: { optimizeAt: 0 } }, /optimizeAt: must be an integer from 1 .* got 0/],
    [partialView, { tree: { noticeDelay: -1 } }, /noticeDelay: must be milliseconds/],
    [partialView, { tree: { graftDelays: 1 } }, /did you mean 'graftDelay'/],
    [relay, { fanout: 0 }, /^relay: fanout: must be an integer from 1 to 64, got 0/],
    [relay, { size: 1 }, /^relay: /],
    [gossip, { relay: { fanout: 3 } }, /relay: must be relay\(\{ … \}\) of @trunkline/],
    [gossip, { relay: fullMesh() }, /relay: must be relay\(\{ … \}\) of @trunkline/],
    [gossip, { discovery: { walkers: 17 } }, /discovery: walkers: .* from 0 to 16, got 17/],
    [gossip, { discovery: { slowest: 0 } }, /discovery: slowest: must be milliseconds/],
    [gossip, { discovery: { steps: 1 } }, /discovery: .*steps/],
    [gossip, { discovery: true }, /discovery: must be an object of options, or false, got true/],
    [gossip, { signatures: { identity: identityOf('b') } }, /signatures\.identity: is node/],
    [gossip, { signatures: { identity: { nodeId: peers.nodeId } } }, /signatures\.identity/],
    [gossip, { signatures: { verify: true } }, /signatures\.verify/],
  ] as const)
    t.throws(() => (make as (options: object) => unknown)(options), {
      instanceOf: TypeError,
      message,
    });
  t.notThrows(() => gossip({ relay: relay() }));
});
