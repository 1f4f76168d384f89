// The bound of the queue of a reader of `connections()`, which `TransportEngine` gives to its
// EventHub. connection-events.test.ts tests it.

import type { ConnectionEvent } from './types.ts';

/**
 * Puts an event into the queue of a reader; see the parameter `enqueue` of EventHub. If the reader
 * lags, it leaves out connections that came and went in the meantime, and one failed dial for each
 * new one. Returns 0, because the reader is not told how many events it misses.
 */
export function enqueue(queue: ConnectionEvent[], event: ConnectionEvent): number {
  if (event.type !== 'up' && queue.length >= LAG) {
    const at = queue.findIndex((queued) =>
      event.type === 'failed'
        ? queued.type === 'failed'
        : queued.type === 'up' && queued.remote === event.remote,
    );
    if (at >= 0) queue.splice(at, 1);
    if (at >= 0 && event.type === 'down') return 0;
  }
  queue.push(event);
  return 0;
}

/**
 * The length from which the queue omits both events of a connection whose 'up' was still unread
 * when it went down, and the oldest failed dial for each new one. So it grows further only by one
 * failed dial, and by connections that are live, or whose 'up' was read before they went down.
 * `Transport.connections` documents this number.
 */
const LAG = 1_024;
