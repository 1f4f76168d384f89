// The load 'text': 20 nodes edit one text with yjs, gossip every change to all others, and repair
// losses by comparing state vectors with a random node.

import { createGossip, fullMesh } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createSimulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import * as Y from 'yjs';
import type { Load } from './load.ts';

const NODES = Array.from({ length: 20 }, (_, at) => `n${at + 1}`);
/** Virtual milliseconds during which the nodes edit. */
const DURATION = 10_000;
/** Milliseconds between two edits of a node, and between two comparisons with another. */
const PACE = 250;
const COMPARISON = 1_000;

const protocol = defineProtocol({
  name: 'text',
  version: 1,
  channel: 0x20,
  methods: { missing: { id: 1, request: bytes, response: bytes } },
});

export const sharedText: Load = {
  name: 'text',
  title: '20 nodes with gossip and yjs',
  async run(seed) {
    const sim = createSimulation({ seed, link: { latency: [5, 50], loss: 0.01 } });
    // Made before the simulation runs, because a document draws an id from the system.
    const documents = NODES.map((_, at) => {
      const document = new Y.Doc();
      document.clientID = at + 1;
      return document;
    });
    for (const [at, name] of NODES.entries())
      sim.node(name, async ({ transport, clock, random }) => {
        const document = documents[at]!;
        const net = transport(protocol);
        const peers = createPeers({
          transport: net,
          maxOutbound: NODES.length,
          seeds: NODES.slice(0, 2).filter((seed) => seed !== name),
        });
        const gossip = createGossip({ transport: net, peers, overlay: fullMesh() });
        const topic = gossip.topic('changes', bytes);
        topic.subscribe((message) => Y.applyUpdate(document, message, 'network'));
        document.on('update', (update: Uint8Array, origin: unknown) => {
          if (origin !== 'network') topic.publish(update).catch(() => {});
        });
        serve(net, { missing: (vector) => Y.encodeStateAsUpdate(document, vector) });
        await net.listen();
        await gossip.start();
        await peers.start();
        const text = document.getText('text');
        const compare = async (): Promise<void> => {
          await clock.sleep(COMPARISON * (0.5 + random()));
          const other = NODES[Math.floor(random() * NODES.length)]!;
          if (other !== name) {
            const missing = await net
              .send(other, 'missing', Y.encodeStateVector(document), { timeout: 1_000 })
              .catch(() => undefined);
            if (missing !== undefined) Y.applyUpdate(document, missing, 'network');
          }
          return compare();
        };
        void compare();
        for (let word = 0; clock.now() < DURATION; word++) {
          await clock.sleep(PACE);
          text.insert(Math.floor(random() * (text.length + 1)), `${name}.${word} `);
        }
      });
    await sim.run(DURATION);
    const same = () => {
      const first = documents[0]!.getText('text').toString();
      return documents.every((document) => document.getText('text').toString() === first);
    };
    for (let wait = 0; !same(); wait++) {
      if (wait === 60) throw new Error('text: the documents differ a minute after the last edit');
      await sim.run(1_000);
    }
    if (documents[0]!.getText('text').length === 0) throw new Error('text: nothing was written');
    return sim;
  },
};
