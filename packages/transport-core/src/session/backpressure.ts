// Tells senders how full the send queue of a session is, and when it has room again.

import { TransportError } from '../errors.ts';
import type { Session } from './session.ts';

/** Returns the one-ways and requests of a channel that were accepted but not sent yet. */
export function unsentOn(session: Session, channel: number): { messages: number; bytes: number } {
  const { shorts, longs } = session.channel(channel).lanes;
  return { messages: shorts.messages + longs.messages, bytes: shorts.bytes + longs.bytes };
}

/**
 * Resolves when a one-way could go at once; rejects when it never will, or when too many callers
 * wait already (`limits.outbound`).
 *
 * @param endpoint of the peer, for errors.
 */
export function whenWritable(session: Session, channelId: number, endpoint: string): Promise<void> {
  if (session.state !== 'up') {
    const details = { reason: 'disconnected', target: endpoint, sent: false } as const;
    return Promise.reject(new TransportError('unavailable', 'the connection is closing', details));
  }
  const channel = session.channel(channelId);
  if (channel.disagreement !== undefined) return Promise.reject(channel.disagreement);
  if (session.caller.writable(channel)) return Promise.resolve();
  if (channel.writers.length >= session.context.limits.outbound.messages) {
    const message = `${channel.writers.length} calls already wait until ${endpoint} is writable (limits.outbound)`;
    return Promise.reject(new TransportError('resource_exhausted', message, { target: endpoint }));
  }
  return new Promise((resolve, reject) => {
    channel.writers.push({ resolve, reject });
    session.watch(channel);
  });
}
