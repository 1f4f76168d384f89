// The imports of a page: these declarations must not refer to any name of Node.

import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers, createStoreAddressBook } from '@trunkline/peers';
import { createIndexedDbStore } from '@trunkline/peers/browser';
import {
  createAdmission,
  createBalancer,
  createCircuitBreaker,
  createConcurrencyLimit,
  createRetries,
  createStaticResolver,
  rendezvous,
} from '@trunkline/resilience';
import { resumable, resume } from '@trunkline/resilience/resumption';
import { bytes, createTransport, serve, type TransportError } from '@trunkline/transport-core';
import { direct } from '@trunkline/transport-inmem';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import { ws } from '@trunkline/transport-ws';
import { handlers, ledger, use } from './ledger.ts';

export async function main(
  url: string,
  upload: AsyncIterable<Uint8Array>,
): Promise<TransportError | undefined> {
  const signal = createMemorySignaling().signal('page');
  const balancer = createBalancer({
    resolve: createStaticResolver({ ledger: [url, { address: url, weight: 2 }] }),
    policy: rendezvous(({ metadata }) => metadata['account']),
    outliers: { interval: 1_000 },
  });
  const admission = createAdmission({ limit: { max: 10 } });
  const transport = createTransport({
    protocol: ledger,
    backends: [ws(), webrtc({ signal, rtc: globalThis })],
    interceptors: {
      client: [
        createConcurrencyLimit().interceptor,
        createRetries({ methods: { 'ledger/*': { idempotent: true } }, throttle: false })
          .interceptor,
        balancer.interceptor,
        createCircuitBreaker({ probes: 1 }).interceptor,
      ],
      server: [admission.interceptor],
    },
  });
  serve(transport, handlers);
  await use(transport, url, upload);
  await use(createTransport({ protocol: ledger, backends: [ws()] }), url, upload);
  await createTransport('inmem://', { protocol: ledger, backends: [direct()] }).close();
  const dump = resumable(transport, 'dump', handlers.dump!, { items: 100, size: undefined });
  for await (const { amount } of await resume(transport, url, 'dump', 'a', { timeout: 1_000 }))
    if (amount > dump.streams) dump.close();
  // @ts-expect-error: only a download can be continued
  await resume(transport, url, 'replay', new Uint8Array());
  const gossip = createGossip({
    transport,
    peers: createPeers({
      transport,
      seeds: [url],
      addressBook: createStoreAddressBook(createIndexedDbStore('peers')),
    }),
    overlay: partialView(),
  });
  for await (const { message } of gossip.topic('pictures', bytes)) if (message.length > 0) break;
  for await (const event of transport.connections()) if (event.type === 'down') return event.cause;
  return undefined;
}
