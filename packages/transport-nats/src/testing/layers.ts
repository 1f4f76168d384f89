// Stream layers over a NATS server of the tests, as the suites create them.

import type { NatsServer } from '@trunkline/local-nats';
import type { Clock } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createNatsStreamLayer } from '../nats.ts';

/** Creates a layer at a server. Without an address, it listens under a random name. */
export function layerAt(
  server: NatsServer,
  given: {
    readonly address?: string | undefined;
    readonly advertiseAddr?: string | undefined;
    readonly clock?: Clock | undefined;
  } = {},
): StreamLayer {
  const { address, ...options } = given;
  return createNatsStreamLayer({
    servers: server.address,
    bindAddr: address,
    connectTimeout: BUSY_TIMEOUT,
    ...options,
  });
}

/** Time limit to connect for a process that hundreds of tests keep busy, in milliseconds. */
const BUSY_TIMEOUT = 60_000;

/** Addresses that `dial` refuses. */
export const MALFORMED = [
  '',
  'orders',
  'two words',
  'tcp://127.0.0.1/orders',
  'nats://127.0.0.1:4222',
  'nats://127.0.0.1:4222/',
  'nats://127.0.0.1:0/orders',
  'nats://127.0.0.1:4222,127.0.0.1:4223/orders',
  'nats://127.0.0.1:4222/orders.*',
  'nats://127.0.0.1:4222/orders.>',
  'nats://127.0.0.1:4222/a..b',
  'nats://127.0.0.1:4222/a/b',
];

/** The reason why some cases of the suites are skipped. */
export const SHARED_NAME =
  'several nodes may listen under one name, and each dial goes to one of them';
