// Waits, while gossip closes, until all has left that was published.

import { type Clock, type Remote, type Transport, unsentOf } from '@trunkline/transport-core';
import type { CloseResult } from '../types.ts';

/** Messages, and their bytes. */
interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

export interface FlushHost {
  readonly clock: Clock;
  readonly mount: Pick<Transport, 'protocol'>;
  /** The peers that are connected now, the connection in use to each, and what waits for it above the connection. */
  waiting(): Iterable<{ readonly nodeId: string; readonly remote: Remote; readonly amounts: readonly Amount[] }>;
}

/** Resolves when nothing waits any more, or after `grace` milliseconds; to what does. */
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

/** Milliseconds between two looks: connections tell nobody when the last message has left. */
const LOOK = 5;
