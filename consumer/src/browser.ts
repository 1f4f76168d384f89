// The imports of a page: these declarations must not refer to any name of Node.

import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers, createStoreAddressBook } from '@trunkline/peers';
import { createIndexedDbStore } from '@trunkline/peers/browser';
import { createBalancer, createStaticResolver, rendezvous } from '@trunkline/resilience';
import { resumable, resume } from '@trunkline/resilience/resumption';
import { bytes, createTransport, serve, type TransportError } from '@trunkline/transport-core';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import { ws } from '@trunkline/transport-ws';
import { handlers, ledger, use } from './ledger.ts';

export async function main(
  url: string,
  upload: AsyncIterable<Uint8Array>,
): Promise<TransportError | undefined> {
  const balancer = createBalancer({
    resolve: createStaticResolver({ ledger: [url, { address: url, weight: 2 }] }),
    policy: rendezvous(({ metadata }) => metadata['account']),
  });
  const transport = createTransport({
    protocol: ledger,
    backends: [ws(), webrtc({ signal: createMemorySignaling().signal('page'), rtc: globalThis })],
    interceptors: { client: [balancer.interceptor] },
  });
  serve(transport, handlers);
  await use(transport, url, upload);
  const dump = resumable(transport, 'dump', handlers.dump!, { items: 100, size: undefined });
  for await (const { amount } of await resume(transport, url, 'dump', 'a', { timeout: 1_000 }))
    if (amount > dump.streams) dump.close();
  // @ts-expect-error: only a download can be continued
  await resume(transport, url, 'replay', new Uint8Array());
  const addressBook = createStoreAddressBook(createIndexedDbStore('peers'));
  const peers = createPeers({ transport, seeds: [url], addressBook });
  const gossip = createGossip({ transport, peers, overlay: partialView() });
  for await (const { message } of gossip.topic('pictures', bytes)) if (message.length > 0) break;
  for await (const event of transport.connections()) if (event.type === 'down') return event.cause;
  return undefined;
}
