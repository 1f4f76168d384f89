// Excerpts of docs/mesh.md: other options of a node, which the tests compile.

import { createSimulation, type NodeContext } from '@trunkline/simulation';
import { bytes, defineProtocol, json, tcp } from 'trunkline';
import { fullMesh } from 'trunkline/gossip';
import { createNode, type MeshNode } from 'trunkline/mesh';
import { createIdentity } from 'trunkline/security';
import { z } from 'zod';

const protocol = defineProtocol({ name: 'ledger', version: 1, methods: {} });
const Block = z.object({ height: z.int(), text: z.string() });
const address = 'tcp://127.0.0.1:0';
const identity = createIdentity();

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

export async function withCertificates(cert: string, ca: string): Promise<MeshNode> {
  const tls = { key: identity.key, cert, ca };
  return createNode({ address, identity, protocol, backends: [tcp({ tls })] });
}

export function simulated(): void {
  const sim = createSimulation({ seed: 1 });
  sim.node('ada', async (context: NodeContext) => {
    const node = await createNode({
      address: context.name,
      protocol,
      createTransport: (_, { observer, hello }) => context.transport(protocol, { observer, hello }),
    });
    return () => node.close();
  });
}
