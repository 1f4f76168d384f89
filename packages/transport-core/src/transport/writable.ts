// Waits until a connection can send a one-way immediately.

import { TransportError } from '../errors.ts';
import type { Connection } from '../stream/connection.ts';

/**
 * Resolves when the connection can send; rejects when it never will, or when too many callers wait
 * already (`limits.outbound`).
 */
export function whenWritable(connection: Connection, channelId: number): Promise<void> {
  const { session, endpoint } = connection;
  if (session.state !== 'up') {
    return Promise.reject(
      new TransportError('unavailable', 'the connection is closing', {
        reason: 'disconnected',
        target: endpoint,
        sent: false,
      }),
    );
  }
  const channel = session.channel(channelId);
  if (channel.disagreement !== undefined) return Promise.reject(channel.disagreement);
  if (session.caller.writable(channel)) return Promise.resolve();
  if (channel.writers.length >= connection.host.config.limits.outbound.messages) {
    const message = `${channel.writers.length} calls already wait until ${endpoint} is writable (limits.outbound)`;
    return Promise.reject(new TransportError('resource_exhausted', message, { target: endpoint }));
  }
  return new Promise((resolve, reject) => {
    channel.writers.push({ resolve, reject });
    session.watch(channel);
  });
}
