// NATS as a backend of createTransport, and as a stream layer.

import type { Backend } from '@trunkline/transport-core';
import { checkAdvertised, parseOptions, type StreamLayer } from '@trunkline/transport-core/backend';
import { NatsLayer } from './nats-layer.ts';
import {
  backendSchema,
  checkNatsOptions,
  layerSchema,
  type NatsBackendOptions,
  type NatsStreamLayerOptions,
} from './nats-options.ts';

/**
 * Creates a stream layer over NATS subjects.
 *
 * @throws TypeError for an invalid option or address.
 */
export function createNatsStreamLayer(options: NatsStreamLayerOptions = {}): StreamLayer {
  parseOptions(layerSchema, options, 'createNatsStreamLayer');
  return createLayer(options, 'createNatsStreamLayer');
}

/**
 * Creates a backend for 'nats://server/name'.
 *
 * @throws TypeError for an invalid option. `createTransport` checks the addresses.
 */
export function nats(options: NatsBackendOptions = {}): Backend {
  parseOptions(backendSchema, options, 'nats');
  checkNatsOptions(options, 'nats');
  return {
    schemes: ['nats'],
    credit: CREDIT,
    layer: ({ bindAddr, advertiseAddr, clock, observer }) =>
      createLayer({ ...options, bindAddr, advertiseAddr, clock, observer }, 'createTransport'),
  };
}

function createLayer(options: NatsStreamLayerOptions, name: string): StreamLayer {
  checkNatsOptions(options, name);
  const layer = new NatsLayer(options);
  checkAdvertised(layer, options.advertiseAddr, `${name}: advertiseAddr`);
  return layer;
}

/**
 * The credit of the transport's own flow control (`Backend.credit`), in bytes. It is independent of
 * the units in credit-pool.ts. Through a server, each grant is a separate message that costs two
 * processes as much as a packet, so accounts begin at a size that needs few grants.
 */
const CREDIT = {
  pipe: 4 * 2 ** 20,
  pipeMax: 16 * 2 ** 20,
  stream: 4 * 2 ** 20,
};
