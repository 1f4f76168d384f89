// Connections coming up and going down, and failed dials, as an async iterator that starts with the
// live connections. If the reader lags, connections that came and went in the meantime are left
// out, and all failed dials but the last.

import { EventReader } from '../event-hub.ts';
import type { Remote } from '../remote.ts';
import type { ConnectionEvent } from './types.ts';

/** The iterator that `connections()` returns. */
export class ConnectionEvents extends EventReader<ConnectionEvent> {
  constructor(live: readonly Remote[], left: (events: EventReader<ConnectionEvent>) => void) {
    super(left);
    for (const remote of live) this.push({ type: 'up', remote });
  }

  protected override enqueue(event: ConnectionEvent): void {
    if (event.type !== 'up' && this.queue.length >= LAG) {
      const at = this.queue.findIndex((queued) =>
        event.type === 'failed'
          ? queued.type === 'failed'
          : queued.type === 'up' && queued.remote === event.remote,
      );
      if (at >= 0) this.queue.splice(at, 1);
      if (at >= 0 && event.type === 'down') return;
    }
    this.queue.push(event);
  }
}

/**
 * The length from which the queue omits both events of a connection whose 'up' was still unread
 * when it went down, and the oldest failed dial for each new one. This bounds the queue by the
 * number of live connections.
 */
const LAG = 1_024;
