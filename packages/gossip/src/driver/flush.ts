// Waits, while gossip closes, until all published messages have left.

import type { Remote, Transport } from '@trunkline/transport-core';
import { unsentOf } from '@trunkline/transport-core/internal';

/** A number of messages and their size in bytes. */
interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * A connected peer, the connection in use, and the amounts queued in the layers above that
 * connection.
 */
export interface Waiting {
  readonly nodeId: string;
  readonly remote: Remote;
  readonly amounts: readonly Amount[];
}

/** The messages that have not been sent to a peer. */
export interface UnsentMessages extends Amount {
  readonly nodeId: string;
}

/**
 * Resolves when nothing is queued any more, or after `grace` milliseconds. Returns what is still
 * queued.
 * @param waiting returns all connected peers
 */
export async function flush(
  mount: Pick<Transport, 'protocol' | 'clock'>,
  waiting: () => Iterable<Waiting>,
  grace: number,
): Promise<readonly UnsentMessages[]> {
  const { clock } = mount;
  for (const due = clock.now() + grace; ; ) {
    const unsent = unsentNow(mount, waiting());
    const left = due - clock.now();
    if (unsent.length === 0 || left <= 0) return unsent;
    await clock.sleep(Math.min(left, LOOK));
  }
}

function unsentNow(
  mount: Pick<Transport, 'protocol'>,
  waiting: Iterable<Waiting>,
): readonly UnsentMessages[] {
  const unsent: UnsentMessages[] = [];
  for (const { nodeId, remote, amounts } of waiting) {
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
