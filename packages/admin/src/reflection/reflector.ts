// Asks a node for its protocols.

import type { AnyTransport, CallOptions, Target, Transport } from '@trunkline/transport-core';
import type { ProtocolDescription, ProtocolSummary } from './description.ts';
import { reflectionProtocol } from './protocol.ts';

/** Asks nodes for their protocols. */
export interface Reflector {
  /** Returns the protocols of a node, without their methods. */
  list(target: Target, options?: CallOptions): Promise<readonly ProtocolSummary[]>;
  /**
   * Returns one protocol of a node with its methods and schemas. Rejects with `not_found` if the
   * node has no such protocol. The texts come from the node: clean them before you show them.
   */
  describe(target: Target, protocol: string, options?: CallOptions): Promise<ProtocolDescription>;
  /** Ends the protocol on this transport; with `serveReflection`, it also ends the service. */
  close(): Promise<void>;
}

/**
 * Prepares a transport to ask other nodes for their protocols. A node that does not serve
 * reflection answers with `unimplemented`. A node whose rule `allow` refuses this node answers with
 * `permission_denied`.
 *
 * @throws TypeError if the transport has the protocol already: `serveReflection` returns a
 * reflector, too.
 */
export function createReflector(transport: AnyTransport): Reflector {
  return reflectorOf(transport.mount(reflectionProtocol));
}

/** Returns a reflector that uses the mounted protocol. */
export function reflectorOf(mount: Transport<typeof reflectionProtocol>): Reflector {
  return {
    list: async (target, options) => (await mount.send(target, 'list', {}, options)).protocols,
    describe: (target, protocol, options) => mount.send(target, 'describe', { protocol }, options),
    close: () => mount.close(),
  };
}
