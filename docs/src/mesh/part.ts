import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defineProtocol, healthHandler } from 'trunkline';
import { createNode, type MeshNode, type NodePart } from 'trunkline/mesh';

/** Answers the probes of a cluster manager: /healthz and /readyz. */
function probes(port: number) {
  const server = createServer();
  const part: NodePart<MeshNode> = {
    name: 'probes',
    async start({ health }) {
      const probe = healthHandler(health);
      server.on('request', (request, response) => {
        if (!probe(request, response)) response.writeHead(404).end();
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, '127.0.0.1', resolve);
      });
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
  return { ...part, port: () => (server.address() as AddressInfo).port };
}

const protocol = defineProtocol({ name: 'empty', methods: {} });
const first = probes(0);
{
  await using _node = await createNode({ protocol, parts: [first] });
  const { status } = await fetch(`http://127.0.0.1:${first.port()}/readyz`);
  console.log(status);
  const second = createNode({ name: 'blue-3', protocol, parts: [probes(first.port())] });
  await second.catch((error) => console.log(error.message));
} // closes the node
