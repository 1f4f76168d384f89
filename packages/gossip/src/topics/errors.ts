// The errors of publishing, dialing and storing.

import { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { REFUSALS } from '../protocol.ts';
import type { Refusal, Unsent } from '../types.ts';

/** Returns the error for publishing on a closed topic. */
export function topicClosed(name: string): TransportError {
  return new TransportError('shutdown', `topic ${name} was closed on this node`, { sent: false });
}

/** Returns an error for something that was thrown; `what` begins its text. */
export function asTransportError(error: unknown, target: string, what = ''): TransportError {
  if (error instanceof TransportError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new TransportError('unavailable', what + text, { target, cause: error });
}

/**
 * Returns the error for a message that could not be sent to a node.
 * @param size size of the message in bytes.
 * @param limit the peer's size limit on the topic in bytes, if it announced a lower one than this
 *   node's.
 */
export function notSent(
  reason: Unsent,
  nodeId: string,
  size: number,
  limit = Number.POSITIVE_INFINITY,
): TransportError {
  const details = { target: nodeId, sent: false };
  if (reason === 'no-room') {
    const text = `the queue for node ${nodeId} is full (outbound)`;
    return new TransportError('resource_exhausted', text, details);
  }
  const what =
    size > limit ? `its limit for the topic: ${limit}` : 'limits.message of its transport';
  const text = `a message of ${size} bytes is above what node ${nodeId} accepts (${what})`;
  return reasonError('too_large', text, details);
}

/** Returns the error for a recipient that is not on the topic. */
export function notOnTopic(nodeId: string, topic: string): TransportError {
  const details = { target: nodeId, sent: false };
  return new TransportError('not_found', `node ${nodeId} is not on topic ${topic}`, details);
}

/**
 * Returns the error for a peer that left the topic before it confirmed the message, or (with
 * `cause`) was disconnected.
 */
export function gone(nodeId: string, topic: string, cause?: TransportError): TransportError {
  const [code, what] =
    cause === undefined
      ? (['not_found', `node ${nodeId} left topic ${topic}`] as const)
      : (['unavailable', `the connection to node ${nodeId} was lost`] as const);
  const details = { target: nodeId, sent: true, cause };
  return new TransportError(code, `${what} before it confirmed the message`, details);
}

/** Returns the error for a peer that refused a message instead of confirming it. */
export function refusedBy(nodeId: string, refusal: Refusal): TransportError {
  const text = `node ${nodeId} refused the message: ${REFUSALS[refusal]} (${refusal})`;
  const details = { target: nodeId, sent: true, origin: 'remote' } as const;
  if (refusal === 'too-large') return reasonError('too_large', text, details);
  if (refusal === 'not-on-topic') return new TransportError('not_found', text, details);
  const code =
    refusal === 'overloaded' || refusal === 'full' || refusal === 'no-room'
      ? 'resource_exhausted'
      : 'failed_precondition';
  return new TransportError(code, text, details);
}
