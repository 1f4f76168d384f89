// The leader's part of Raft in one term: what each follower has, which messages to it are in
// flight, and what to send next. `Raft` makes one when it becomes the leader and drops it when it
// no longer is. Only `Raft` decides what is committed.

import type { Log } from './log.ts';
import type { AppendReply, Entry, Message, Snapshot } from './messages.ts';

/**
 * The leader's view of one follower. A lost call pauses it: only heartbeats are sent until one of
 * them is answered.
 */
interface Follower {
  next: number;
  match: number;
  inFlight: Message | undefined;
  heartbeat: Message | undefined;
  paused: boolean;
  heardAt: number;
}

/** The state of each follower, as its leader knows it. */
export class Replication {
  readonly #lead: { readonly term: number; readonly leader: string };
  readonly #log: Log;
  readonly #followers = new Map<string, Follower>();

  /**
   * @param lead the term, and the address of its leader, which is this node.
   * @param others the addresses of all other nodes.
   * @param log the leader's log, which this class only reads.
   */
  constructor(
    lead: { readonly term: number; readonly leader: string },
    others: readonly string[],
    log: Log,
    now: number,
  ) {
    this.#lead = lead;
    this.#log = log;
    const next = log.last.index + 1;
    for (const to of others)
      this.#followers.set(to, {
        next,
        match: 0,
        inFlight: undefined,
        heartbeat: undefined,
        paused: false,
        heardAt: now,
      });
  }

  /** For each follower, the index up to which its log is known to equal the leader's. */
  get matches(): number[] {
    return [...this.#followers.values()].map((follower) => follower.match);
  }

  /** Returns the number of followers that have answered within the last `period` milliseconds. */
  heardWithin(period: number, now: number): number {
    return [...this.#followers.values()].filter((follower) => now - follower.heardAt <= period)
      .length;
  }

  // Messages to send.

  /**
   * Returns the heartbeats that are due. They have a slot of their own beside the batch in flight,
   * so no snapshot and no slow batch delays them.
   */
  heartbeats(commit: number): Message[] {
    const messages: Message[] = [];
    for (const [to, follower] of this.#followers) {
      if (follower.heartbeat !== undefined) continue;
      // An entry that is known to match cannot be refused, and the heartbeat tells the follower up
      // to where it is committed.
      const known = this.#log.termAt(follower.match) !== undefined ? follower.match : 0;
      messages.push((follower.heartbeat = this.#append(to, known, [], commit)));
    }
    return messages;
  }

  /**
   * Returns the batches and snapshots that can be sent now: one at a time to each follower.
   * Commands proposed meanwhile go into the next batch.
   * @param snapshot the content of the state machine behind which the log is truncated.
   */
  batches(commit: number, snapshot: Snapshot | undefined): Message[] {
    const messages: Message[] = [];
    for (const [to, follower] of this.#followers) {
      const { inFlight, paused, next } = follower;
      if (inFlight !== undefined || paused || next > this.#log.last.index) continue;
      if (next > this.#log.base.index) {
        follower.inFlight = this.#append(to, next - 1, this.#log.batch(next), commit);
      } else {
        const { index, term, data } = snapshot!; // A log is only truncated behind a snapshot.
        const request = { ...this.#lead, index, indexTerm: term, size: data.length };
        follower.inFlight = { method: 'installSnapshot', to, request, data };
      }
      messages.push(follower.inFlight);
    }
    return messages;
  }

  // Answers.

  /** Handles a follower's answer to appendEntries. */
  appended(now: number, message: Message, reply: AppendReply): void {
    const follower = this.#release(message);
    if (follower === undefined) return;
    follower.heardAt = now;
    follower.paused = false;
    if (reply.success) {
      follower.match = Math.max(follower.match, reply.match);
      follower.next = Math.max(follower.next, follower.match + 1);
    } else if (message.method === 'appendEntries') {
      // Skips a whole term at a time (paper, end of §5.3). A heartbeat is refused only by a node
      // that has lost its log.
      const end = reply.conflictTerm > 0 ? this.#log.endOfTerm(reply.conflictTerm) : undefined;
      follower.next = Math.max(
        1,
        Math.min(message.request.prevIndex, end === undefined ? reply.conflictIndex : end + 1),
      );
    }
  }

  /** Handles a follower's answer to installSnapshot: it has the snapshot, or does not need it. */
  installed(now: number, message: Message): void {
    const follower = this.#release(message);
    if (follower === undefined || message.method !== 'installSnapshot') return;
    follower.heardAt = now;
    follower.match = Math.max(follower.match, message.request.index);
    follower.next = follower.match + 1;
  }

  /** Handles the news that a message will have no answer. */
  failed(message: Message): void {
    const follower = this.#release(message);
    if (follower !== undefined) follower.paused = true;
  }

  #append(to: string, prevIndex: number, entries: Entry[], commit: number): Message {
    const prevTerm = prevIndex === 0 ? 0 : this.#log.termAt(prevIndex)!;
    const request = { ...this.#lead, prevIndex, prevTerm, entries, commit };
    return { method: 'appendEntries', to, request };
  }

  /**
   * Frees the slot of a message that was answered or lost. Returns undefined if it was sent in
   * another term, or is no message of a leader.
   */
  #release(message: Message): Follower | undefined {
    if (message.request.term !== this.#lead.term) return undefined;
    const follower = this.#followers.get(message.to);
    if (follower?.heartbeat === message) follower.heartbeat = undefined;
    else if (follower?.inFlight === message) follower.inFlight = undefined;
    else return undefined;
    return follower;
  }
}
