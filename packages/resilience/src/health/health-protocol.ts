// The health protocol, by which nodes ask each other which services take calls, and its mount.

import {
  type AnyTransport,
  type Codec,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';

/** The status of a service: 'serving' if it takes calls; 'unknown' if the node does not have it. */
export type ServingStatus = 'serving' | 'not_serving' | 'unknown';

const STATUSES: readonly ServingStatus[] = ['unknown', 'serving', 'not_serving'];
/** Maximum length of a service's name, in bytes. */
const LONGEST_NAME = 256;

const serviceName: Codec<string> = {
  name: 'health(service)',
  limit: LONGEST_NAME,
  encode(service) {
    const encoded = new TextEncoder().encode(service);
    if (encoded.length <= LONGEST_NAME) return encoded;
    throw new TransportError(
      'invalid_argument',
      `health: the name of a service has at most ${LONGEST_NAME} bytes, got ${encoded.length}`,
    );
  },
  decode: (bytes) => new TextDecoder().decode(bytes),
};

const servingStatus: Codec<ServingStatus> = {
  name: 'health(status)',
  limit: 1,
  encode: (status) => new Uint8Array([STATUSES.indexOf(status)]),
  decode: (bytes) => STATUSES[bytes[0] ?? 0] ?? 'unknown',
};

/**
 * The protocol `trunkline.health`. Mount it to ask other nodes: `check` returns the status of a
 * service, and `watch` returns it immediately and after each change. A service is the name of a
 * protocol, or a name that the node has given to `Health.set`. The empty name stands for the node
 * itself, which is 'serving' as long as it answers (liveness). The name `trunkline.ready` is
 * 'serving' while the node is ready, as `Health.isReady` says (readiness).
 */
export const healthProtocol = defineProjectProtocol({
  name: 'trunkline.health',
  version: 1,
  channel: 0x04,
  methods: {
    check: { id: 1, request: serviceName, response: servingStatus },
    watch: { id: 2, request: serviceName, download: servingStatus },
  },
});

/**
 * Returns the mount of the health protocol on a transport, which `serveHealth` and balancers share.
 *
 * @throws TypeError if the program has mounted the protocol itself.
 */
export function mountHealth(transport: AnyTransport): Transport<typeof healthProtocol> {
  const shared = sharedPart(transport);
  return (shared[MOUNT] ??= transport.mount(healthProtocol));
}

/** Forgets a mount that is closed. */
export function unmountHealth(mount: AnyTransport): void {
  sharedPart(mount)[MOUNT] = undefined;
}

/**
 * Returns the part of a transport that all its mounts share. The key is `ENGINE` of core's
 * transport/manage.ts, whose import would bundle all of core.
 */
function sharedPart(transport: AnyTransport): SharedPart {
  return (transport as unknown as Record<symbol, SharedPart>)[Symbol.for('trunkline.engine')]!;
}

/**
 * The key of the mount in that part. It is global, because the entries `resilience` and
 * `resilience/health` have a copy of this file each.
 */
const MOUNT: unique symbol = Symbol.for('trunkline.health.mount') as never;

interface SharedPart {
  [MOUNT]?: Transport<typeof healthProtocol> | undefined;
}
