// Limits and send queues of a transport's connections, for libraries that send a lot over it.

import type { Remote } from '../remote.ts';
import type { TransportEngine } from './engine.ts';
import { connectionOf } from './members.ts';
import { ENGINE } from './protocol-transport.ts';
import type { AnyTransport, Transport } from './types.ts';

/**
 * Returns the longest message, in bytes, that `transport` accepts (`limits.message`); with
 * `remote`, the longest that this peer accepts.
 */
export function messageLimit(transport: AnyTransport, remote?: Remote): number {
  if (remote !== undefined) return connectionOf(remote).figures.messageLimit;
  return (transport as unknown as Record<symbol, TransportEngine>)[ENGINE]!.config.limits.message;
}

/**
 * Returns the number and bytes of the one-ways and requests of a mount's protocol that a connection
 * has accepted but not sent yet.
 */
export function unsentOf(
  { protocol }: Pick<Transport, 'protocol'>,
  remote: Remote,
): { messages: number; bytes: number } {
  return remote.closed
    ? { messages: 0, bytes: 0 }
    : connectionOf(remote).figures.unsent(protocol.channel);
}
