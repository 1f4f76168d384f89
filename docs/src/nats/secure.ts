// A node at a cluster of NATS servers with an nkey, and with Noise, so that the servers read nothing.

import { nkeyAuthenticator } from '@nats-io/nats-core';
import { nats } from '@trunkline/transport-nats';
import { createTransport } from 'trunkline';
import { type Identity, secured } from 'trunkline/security';
import { orders } from './orders.ts';

export function secureNode(servers: readonly string[], seed: Uint8Array, identity: Identity) {
  const broker = nats({ servers, authenticator: nkeyAuthenticator(seed), network: 'production' });
  return createTransport('nats://broker/orders', {
    protocol: orders,
    backends: [secured(broker, { identity })],
  });
}
