// Tests that identity, peers and gossip work inside a simulation without an explicit clock, time of
// day or random source.

import { createPeers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { assertDeterministic, createSimulation, type Simulation } from '@trunkline/simulation';
import test from 'ava';
import { createGossip } from './gossip.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { idle, words } from './testing/cluster.ts';

for (const [name, overlay] of [
  ['full mesh', fullMesh],
  ['partial view', partialView],
] as const) {
  test.serial(
    `nodes with default options receive each other’s messages, and a second run is identical (${name})`,
    async (t) => {
      const scenario = async (sim: Simulation) => {
        const heard: string[] = [];
        for (const name of ['a', 'b', 'c']) {
          sim.node(name, async ({ transport: make, clock }) => {
            const identity = createIdentity();
            const transport = make(idle);
            const peers = createPeers({ transport, identity, seeds: name === 'a' ? [] : ['a'] });
            const signatures = { identity };
            const gossip = createGossip({ transport, peers, overlay: overlay(), signatures });
            const topic = gossip.topic('news', words);
            topic.subscribe((word) => void heard.push(`${name} heard ${word}`));
            await transport.listen();
            await gossip.start();
            await peers.start();
            if (name === 'c') clock.setTimeout(() => void topic.publish('hello'), 5_000);
            return async () => {
              await gossip.close();
              await peers.close();
              await transport.close();
            };
          });
        }
        await sim.until(() => heard.length >= 2, 20_000);
        t.deepEqual(heard.sort(), ['a heard hello', 'b heard hello']);
      };
      const options = { link: { latency: [1, 20] } } as const;
      const sim = createSimulation({ seed: 1, ...options });
      await scenario(sim);
      t.deepEqual(await sim.close(), []);
      t.regex(await assertDeterministic(scenario, options), /^[0-9a-f]{64}$/);
    },
  );
}
