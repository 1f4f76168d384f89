// Excerpts of docs/mesh.md: other options of a node, which the tests compile.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { bytes, defineProtocol, healthHandler, json } from 'trunkline';
import { fullMesh } from 'trunkline/gossip';
import { createNode, type MeshNode, type NodePart } from 'trunkline/mesh';
import { z } from 'zod';

const protocol = defineProtocol({ name: 'ledger', version: 1, methods: {} });
const Block = z.object({ height: z.int(), text: z.string() });
const address = 'tcp://127.0.0.1:0';

export async function read(): Promise<void> {
  const node = await createNode({
    address,
    protocol,
    gossip: {
      topics: {
        blocks: json(Block), // a codec is enough
        votes: { codec: bytes, limit: 256, queue: { messages: 100, policy: 'drop-oldest' } },
      },
      overlay: fullMesh(), // for some dozens of nodes
    },
  });
  for await (const { message, meta } of node.topics.blocks)
    console.log(message.height, 'from', meta.from);
}

/** Answers the probes of a cluster manager: /healthz and /readyz. */
export function probes(port: number): NodePart<MeshNode> {
  const server = createServer();
  return {
    name: 'probes',
    async start({ health }) {
      const probe = healthHandler(health);
      server.on('request', (request, response) => {
        if (!probe(request, response)) response.writeHead(404).end();
      });
      await once(server.listen(port), 'listening');
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
