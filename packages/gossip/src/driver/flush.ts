// Waits, while gossip closes, until all published messages have left.

import type { Clock, Remote, Transport } from '@trunkline/transport-core';
import { unsentOf } from '@trunkline/transport-core/internal';
import type { CloseResult } from '../types.ts';

/** A number of messages and their size in bytes. */
interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

export interface FlushHost {
  readonly clock: Clock;
  readonly mount: Pick<Transport, 'protocol'>;
  /**
   * Returns the connected peers, each with the connection in use and the amounts queued above that
   * connection.
   */
  waiting(): Iterable<{
    readonly nodeId: string;
    readonly remote: Remote;
    readonly amounts: readonly Amount[];
  }>;
}

/**
 * Resolves when nothing is queued any more, or after `grace` milliseconds. Returns what is still
 * queued.
 */
export async function flush(host: FlushHost, grace: number): Promise<CloseResult['unsent']> {
  const { clock } = host;
  for (const due = clock.now() + grace; ; ) {
    const unsent = unsentNow(host);
    const left = due - clock.now();
    if (unsent.length === 0 || left <= 0) return unsent;
    await clock.sleep(Math.min(left, LOOK));
  }
}

function unsentNow({ mount, waiting }: FlushHost): CloseResult['unsent'] {
  const unsent: { nodeId: string; messages: number; bytes: number }[] = [];
  for (const { nodeId, remote, amounts } of waiting()) {
    let { messages, bytes } = unsentOf(mount, remote);
    for (const amount of amounts) {
      messages += amount.messages;
      bytes += amount.bytes;
    }
    if (messages > 0) unsent.push({ nodeId, messages, bytes });
  }
  return unsent;
}

/**
 * Milliseconds between two checks, because connections don't report when the last message has left.
 */
const LOOK = 5;
