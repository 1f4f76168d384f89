// What publishing fails with.

import { TransportError } from '@trunkline/transport-core';

export function topicClosed(name: string): TransportError {
  return new TransportError('shutdown', `topic ${name} was closed here`, { sent: false });
}

export function noRoom(nodeId: string): TransportError {
  return new TransportError('resource_exhausted', `too much waits for node ${nodeId} already (outbound)`, { target: nodeId, sent: false });
}
