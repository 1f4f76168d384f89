// A node behind a home router that other nodes dial from the internet.

import { createPortMapping } from '@trunkline/peers/nat';
import { createTransport, defineProtocol, json, tcp } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const protocol = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: json(z.string()) } },
});

/** @param address this machine's address in its local network: 'tcp://192.168.1.5:7000'. */
export async function start(address: string, seed: string): Promise<() => Promise<void>> {
  const transport = createTransport(address, { protocol, backends: [tcp()] });
  await transport.listen();
  const mapping = await createPortMapping(transport, {
    onEvent(event) {
      if (event.type === 'mapped') console.log(`reached at ${event.addresses.join(', ')}`);
      if (event.type === 'failed') console.warn(event.error.message);
    },
  });
  const peers = createPeers({ transport, seeds: [seed] });
  await peers.start();
  return async () => {
    await mapping.close(); // First: it removes the mapping, and needs the transport.
    await peers.close();
    await transport.close();
  };
}
