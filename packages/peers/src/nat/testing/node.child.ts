// A node in a network namespace, as a process of its own: reads commands from stdin, one in each
// line, and answers each with a line of JSON. Started as
// 'node.child.js <address to listen on> [<persistent peer>]'.

import { createInterface } from 'node:readline';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { createPeers } from '../../index.ts';
import { echo } from '../../testing/cluster.ts';
import { createPortMapping, type PortMapping } from '../create-port-mapping.ts';

const [, , bindAddr = '', ...persistent] = process.argv;
const transport = createTransport(`tcp://${bindAddr}`, { protocol: echo, backends: [tcp()] });
serve(transport, { say: (text) => text, hint: () => {} });
await transport.listen();
const peers = createPeers({ transport, persistent, maxOutbound: 0 });
await peers.start();
let mapping: PortMapping | undefined;

const commands: Record<string, (argument: string) => unknown> = {
  /** Maps the port, and answers with the external addresses or the error. */
  async map() {
    mapping = await createPortMapping(transport, { renewInterval: 1_000 });
    return { addresses: mapping.addresses, error: mapping.error?.message };
  },
  async unmap() {
    await mapping?.close();
    return transport.advertiseAddr();
  },
  /**
   * Dials an address again, calls the node there, and answers with 'reached' or the error's code.
   */
  async call(address) {
    await transport.disconnect(address);
    return transport.send(address, 'say', 'hello', { timeout: 1_500 }).then(
      () => 'reached',
      (error) => error.code,
    );
  },
  /** Answers with the addresses of the peers. */
  peers: () => peers.list().map(({ addr }) => addr),
};

console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', argument = ''] = line.split(' ');
  console.log(JSON.stringify((await commands[name]!(argument)) ?? null));
}
await mapping?.close();
await peers.close();
await transport.close();
