// WebRTC as a backend of the transport suite.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTransitWatch, nodeProbe, type TransportBackend } from '@trunkline/transport-testkit';
import { HANDSHAKE_TIME, LOST_AFTER, type TestRealm } from './layers.ts';

/** Creates the backend; `skip` has more cases to skip, with the reasons. */
export function createTransportBackend(
  name: string,
  realm: TestRealm,
  skip: TransportBackend['skip'] = {},
): TransportBackend {
  const transit = createTransitWatch({ lostAfter: LOST_AFTER });
  return {
    name,
    create(options, { address, advertiseAddr, wrap } = {}) {
      const layer = transit.watch(realm.layer({ address, advertiseAddr, clock: options.clock }));
      return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
    },
    isBusy: transit.isBusy,
    stallTimeout: HANDSHAKE_TIME,
    unreachable: () => 'webrtc://nobody',
    probe: nodeProbe(process),
    skip: {
      'listen on an address that cannot be dialed needs an advertised address':
        'an id stands for one node, and none stands for all',
      ...skip,
    },
  };
}

/**
 * The titles of the two cases that make a thousand connections, which take more time than all
 * others together.
 */
export const THOUSANDS: readonly string[] = [
  'hundreds of transports that open, call and close leave no handles and no heap behind',
  'hundreds of connections that open and close leave nothing behind at either end',
];
