// What publishing fails with.

import { reasonError, TransportError } from '@trunkline/transport-core';
import type { Unsent } from '../types.ts';

export function topicClosed(name: string): TransportError {
  return new TransportError('shutdown', `topic ${name} was closed here`, { sent: false });
}

/** @param size bytes of the message. @param limit bytes that the peer takes on the topic, where it has told that they are fewer. */
export function notSent(reason: Unsent, nodeId: string, size: number, limit = Number.POSITIVE_INFINITY): TransportError {
  const details = { target: nodeId, sent: false };
  if (reason === 'no-room') return new TransportError('resource_exhausted', `too much waits for node ${nodeId} already (outbound)`, details);
  const what = size > limit ? `its limit for the topic: ${limit}` : 'limits.message of its transport';
  return reasonError('too_large', `a message of ${size} bytes is above what node ${nodeId} takes (${what})`, details);
}
