import { defineProtocol, empty, json } from 'trunkline';
import { createNode } from 'trunkline/mesh';
import { createIdentity } from 'trunkline/security';
import { z } from 'zod';

const protocol = defineProtocol({
  name: 'ledger',
  methods: { height: { request: empty, response: json(z.int()) } },
});
const Block = z.object({ height: z.int(), text: z.string().max(1_000) });

async function start(name: string, seeds: string[]) {
  let height = 0;
  return createNode({
    address: 'tcp://127.0.0.1:0', // in production: a fixed port
    name,
    identity: createIdentity(), // in production: await loadOrCreateIdentity('node.key')
    protocol,
    handlers: { height: () => height },
    peers: { seeds },
    gossip: {
      topics: {
        blocks: { codec: json(Block), onMessage: (block) => void (height = block.height) },
      },
    },
  });
}

const ada = await start('ada', []);
const bob = await start('bob', [ada.transport.advertiseAddr()]);
const eve = await start('eve', [ada.transport.advertiseAddr()]);

const block = { height: 1, text: 'the first block' };
const { received } = await bob.topics.blocks.publish(block, { min: 2 });
console.log(`${received} nodes have it`);
console.log('the height of Ada is', await eve.transport.to(`node:${ada.nodeId}`).height());
for (const node of [eve, bob, ada]) await node.close();
