// Raft as a pure state machine: its inputs are the time and what arrived, its outputs what to save,
// to send and to apply. It reads no clock, draws no random number, opens nothing and waits for
// nothing; node.ts does. Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus
// Algorithm" (extended version); "thesis" is Ongaro's, 2014.

import { Log } from './log.ts';
import type {
  AppendReply,
  AppendRequest,
  InstallReply,
  InstallRequest,
  Message,
  Position,
  Save,
  Saved,
  Snapshot,
  VoteReply,
  VoteRequest,
} from './messages.ts';
import { Replication } from './replication.ts';

/** The options of one Raft state machine. */
export interface RaftOptions {
  /** The address of this node. */
  readonly id: string;
  /** The addresses of all nodes, including this one. */
  readonly members: readonly string[];
  /**
   * Milliseconds without a leader after which a node stands for election: each node waits between
   * this time and twice this time.
   */
  readonly electionTimeout: number;
  /** Milliseconds between a leader's heartbeats; several must fit into one election timeout. */
  readonly heartbeat: number;
  /** The state that the node had saved; omitted on its first start. */
  readonly saved?: Saved | undefined;
}

/**
 * The actions to perform, in this order. Nothing else may happen before `save` is on disk; replies
 * returned meanwhile must wait for it, too.
 */
export interface Outputs {
  save: Save | undefined;
  messages: Message[];
  /** A leader's snapshot, which replaces the state machine's content. */
  restore: Snapshot | undefined;
  /** Committed entries, each exactly once and in order, without no-ops. */
  apply: { index: number; term: number; command: Uint8Array }[];
  /** The index up to which everything is applied afterwards. */
  applied: number;
}

export interface Status {
  role: 'follower' | 'candidate' | 'leader';
  term: number;
  /** The leader of this term, as far as the node knows. */
  leader: string | undefined;
  /** The log is committed up to this index. */
  commit: number;
  /** The last entry that the log no longer contains, and the last that it contains. */
  base: number;
  last: number;
}

type Role =
  | { readonly t: 'follower'; leader: string | undefined }
  | { readonly t: 'candidate'; readonly request: VoteRequest; readonly votes: Set<string> }
  | {
      readonly t: 'leader';
      readonly replication: Replication;
      heartbeatAt: number;
      quorumAt: number;
    };

export class Raft {
  readonly id: string;
  readonly #members: ReadonlySet<string>;
  readonly #majority: number;
  readonly #options: RaftOptions;
  readonly #log: Log;
  #term: number;
  #votedFor: string;
  #snapshot: Snapshot | undefined;
  #role: Role = { t: 'follower', leader: undefined };
  #commit = 0;
  #applied = 0;
  /**
   * The time that this node waits for a leader, in milliseconds; drawn again at each election, so
   * that split votes end.
   */
  #patience: number;
  #electionAt: number;
  #leaderHeardAt = -Infinity;
  #messages: Message[] = [];
  #stateUnsaved = false;
  #snapshotUnsaved = false;
  #restore: Snapshot | undefined;

  /** @param chance a random number in [0, 1). */
  constructor(options: RaftOptions, now: number, chance: number) {
    const { id, members, saved } = options;
    this.id = id;
    this.#members = new Set(members);
    this.#majority = Math.floor(members.length / 2) + 1;
    this.#options = options;
    this.#term = saved?.term ?? 0;
    this.#votedFor = saved?.votedFor ?? '';
    this.#log = new Log(saved?.base ?? { index: 0, term: 0 }, saved?.entries ?? []);
    this.#snapshot = saved?.snapshot;
    this.#commit = this.#applied = saved?.snapshot?.index ?? 0;
    this.#patience = options.electionTimeout * (1 + chance);
    this.#electionAt = now + this.#patience;
  }

  /** The current status, as plain data. */
  get status(): Status {
    const role = this.#role;
    const leader = role.t === 'follower' ? role.leader : role.t === 'leader' ? this.id : undefined;
    const { base, last } = this.#log;
    return {
      role: role.t,
      term: this.#term,
      leader,
      commit: this.#commit,
      base: base.index,
      last: last.index,
    };
  }

  /** The earliest time at which `wake` has something to do. */
  get wakeAt(): number {
    return this.#role.t === 'leader'
      ? Math.min(this.#role.heartbeatAt, this.#role.quorumAt)
      : this.#electionAt;
  }

  // Inputs.

  /** Handles the passing of time. `chance` is a random number in [0, 1). */
  wake(now: number, chance: number): void {
    const role = this.#role;
    if (role.t !== 'leader') {
      if (now < this.#electionAt) return;
      this.#patience = this.#options.electionTimeout * (1 + chance);
      this.#campaign(now, true);
      return;
    }
    if (now >= role.quorumAt) {
      // If no majority has answered within an election timeout, another leader may exist already
      // (thesis §6.2).
      const live = role.replication.heardWithin(this.#options.electionTimeout, now) + 1;
      if (live < this.#majority) return this.#follow(now, this.#term, undefined);
      role.quorumAt = now + this.#options.electionTimeout;
    }
    if (now < role.heartbeatAt) return;
    role.heartbeatAt = now + this.#options.heartbeat;
    this.#messages.push(...role.replication.heartbeats(this.#commit));
  }

  /**
   * Appends a command, which must not be empty, and returns its position, or undefined if this node
   * is not the leader.
   */
  propose(command: Uint8Array): Position | undefined {
    if (this.#role.t !== 'leader') return undefined;
    this.#log.append({ term: this.#term, command });
    return this.#log.last;
  }

  /**
   * Handles a candidate's request for this node's vote (paper §5.2, §5.4.1), or the question
   * whether it would get it (pre-vote, thesis §9.6).
   */
  requestVote(now: number, request: VoteRequest): VoteReply {
    const { index, term } = this.#log.last;
    const upToDate =
      request.lastTerm > term || (request.lastTerm === term && request.lastIndex >= index);
    const member = this.#members.has(request.candidate) && request.candidate !== this.id;
    if (request.preVote) {
      // A node that hears a leader refuses pre-votes. So a node that was cut off disturbs nobody
      // when it returns.
      const content =
        this.#role.t === 'leader' || now - this.#leaderHeardAt < this.#options.electionTimeout;
      const granted = member && !content && upToDate && request.term > this.#term;
      return { term: this.#term, granted };
    }
    if (member && request.term > this.#term) this.#follow(now, request.term, undefined);
    const free = this.#votedFor === '' || this.#votedFor === request.candidate;
    const granted = member && request.term === this.#term && free && upToDate;
    if (granted) {
      this.#stateUnsaved ||= this.#votedFor === '';
      this.#votedFor = request.candidate;
      this.#electionAt = now + this.#patience;
    }
    return { term: this.#term, granted };
  }

  /** Handles a leader's entries or heartbeat (paper §5.3). */
  appendEntries(now: number, request: AppendRequest): AppendReply {
    const { prevIndex, prevTerm, entries } = request;
    const log = this.#log;
    if (!this.heed(now, request)) return this.#refuse(0, 0);
    if (prevIndex > log.last.index) return this.#refuse(log.last.index + 1, 0);
    // Entries replaced by a snapshot were committed, so they agree.
    if (prevIndex >= log.base.index && log.termAt(prevIndex) !== prevTerm)
      return this.#refuse(log.startOfTerm(prevIndex), log.termAt(prevIndex)!);
    // A correct leader never contradicts committed entries.
    if (!log.merge(prevIndex + 1, entries, this.#commit)) return this.#refuse(this.#commit + 1, 0);
    const match = prevIndex + entries.length;
    this.#commit = Math.max(this.#commit, Math.min(request.commit, match));
    return { term: this.#term, success: true, match, conflictIndex: 0, conflictTerm: 0 };
  }

  /** Handles a complete snapshot from a leader (paper §7). */
  installSnapshot(now: number, request: InstallRequest, data: Uint8Array): InstallReply {
    const { index, indexTerm } = request;
    if (!this.heed(now, request) || index <= this.#commit) return { term: this.#term };
    if (this.#log.termAt(index) === indexTerm) {
      this.#commit = index; // The log contains all of it already.
    } else {
      this.#log.reset({ index, term: indexTerm });
      this.#snapshot = this.#restore = { index, term: indexTerm, data };
      this.#snapshotUnsaved = true;
      this.#commit = this.#applied = index;
    }
    return { term: this.#term };
  }

  /**
   * Follows the sender if it leads this term or a later one, and restarts the election timeout.
   * Returns false if its term is over. Besides the two methods above, the driver calls this when a
   * long message begins, because a snapshot may take longer than the timeout.
   */
  heed(now: number, { term, leader }: { term: number; leader: string }): boolean {
    if (term < this.#term || !this.#members.has(leader)) return false;
    this.#follow(now, term, leader);
    this.#leaderHeardAt = now;
    this.#electionAt = now + this.#patience;
    return true;
  }

  /** Handles a vote that was granted or refused. */
  voted(now: number, message: Message, reply: VoteReply): void {
    if (reply.term > this.#term) return this.#follow(now, reply.term, undefined);
    const role = this.#role;
    // An answer to an earlier request.
    if (role.t !== 'candidate' || role.request !== message.request || !reply.granted) return;
    role.votes.add(message.to);
    this.#countVotes(now, role);
  }

  /** Handles a follower's answer to appendEntries. */
  appended(now: number, message: Message, reply: AppendReply): void {
    if (reply.term > this.#term) return this.#follow(now, reply.term, undefined);
    if (this.#role.t === 'leader') this.#role.replication.appended(now, message, reply);
  }

  /** Handles a follower's answer to installSnapshot: it has the snapshot, or does not need it. */
  installed(now: number, message: Message, reply: InstallReply): void {
    if (reply.term > this.#term) return this.#follow(now, reply.term, undefined);
    if (this.#role.t === 'leader') this.#role.replication.installed(now, message);
  }

  /** Handles the news that a message will have no answer: the call failed or timed out. */
  failed(message: Message): void {
    if (this.#role.t === 'leader') this.#role.replication.failed(message);
  }

  /**
   * Replaces the log by the state machine's content at `index`, which must be applied already.
   * Keeps the last `keep` entries before it.
   */
  compact(index: number, data: Uint8Array, keep: number): void {
    const term = this.#log.termAt(index);
    if (term === undefined || index > this.#applied || index <= (this.#snapshot?.index ?? 0))
      return;
    this.#snapshot = { index, term, data };
    this.#snapshotUnsaved = true;
    this.#log.compact(index - keep);
  }

  // Outputs.

  /** Returns all actions since the last call. Proposals made in between leave in one batch. */
  take(): Outputs {
    if (this.#role.t === 'leader') {
      const { replication } = this.#role;
      this.#countReplicas(replication);
      this.#messages.push(...replication.batches(this.#commit, this.#snapshot));
    }
    const { first, entries } = this.#log.takeUnsaved();
    const { base, last } = this.#log;
    const snapshot = this.#snapshotUnsaved ? this.#snapshot : undefined;
    const unsaved = this.#stateUnsaved || this.#snapshotUnsaved || entries.length > 0;
    const vote = { term: this.#term, votedFor: this.#votedFor };
    const save = { ...vote, base, first, last: last.index, entries, snapshot };
    const outputs: Outputs = {
      save: unsaved ? save : undefined,
      messages: this.#messages,
      restore: this.#restore,
      apply: [],
      applied: this.#commit,
    };
    while (this.#applied < this.#commit) {
      const { term, command } = this.#log.at(++this.#applied)!;
      if (command.length > 0) outputs.apply.push({ index: this.#applied, term, command });
    }
    this.#messages = [];
    this.#restore = undefined;
    this.#stateUnsaved = this.#snapshotUnsaved = false;
    return outputs;
  }

  // Roles: only these methods change the role.

  /**
   * Becomes a follower of `leader`, or of a leader still to be found, in this term or a later one.
   */
  #follow(now: number, term: number, leader: string | undefined): void {
    if (term > this.#term) {
      this.#term = term;
      this.#votedFor = '';
      this.#stateUnsaved = true;
    }
    if (this.#role.t === 'leader') this.#electionAt = now + this.#patience;
    this.#role = { t: 'follower', leader };
  }

  #campaign(now: number, preVote: boolean): void {
    this.#electionAt = now + this.#patience;
    if (!preVote) {
      this.#term++;
      this.#votedFor = this.id;
      this.#stateUnsaved = true;
    }
    const { index, term } = this.#log.last;
    const request = {
      term: preVote ? this.#term + 1 : this.#term,
      candidate: this.id,
      lastIndex: index,
      lastTerm: term,
      preVote,
    };
    const role: Role = { t: 'candidate', request, votes: new Set([this.id]) };
    this.#role = role;
    for (const to of this.#members)
      if (to !== this.id) this.#messages.push({ method: 'requestVote', to, request });
    this.#countVotes(now, role);
  }

  #countVotes(now: number, role: Role & { t: 'candidate' }): void {
    if (role.votes.size < this.#majority) return;
    if (role.request.preVote) this.#campaign(now, false);
    else this.#lead(now);
  }

  #lead(now: number): void {
    const { electionTimeout, heartbeat } = this.#options;
    this.#role = {
      t: 'leader',
      replication: new Replication(
        { term: this.#term, leader: this.id },
        [...this.#members].filter((to) => to !== this.id),
        this.#log,
        now,
      ),
      heartbeatAt: now + heartbeat,
      quorumAt: now + electionTimeout,
    };
    // Entries of earlier terms are committed by the first entry of this term (paper §5.4.2, §8),
    // which is this no-op.
    this.#log.append({ term: this.#term, command: NO_OP });
  }

  /**
   * Commits what a majority has, if its last entry is of this term: only then is counting replicas
   * safe (paper §5.4.2, figure 8).
   */
  #countReplicas(replication: Replication): void {
    const matches = [this.#log.last.index, ...replication.matches].sort((a, b) => b - a);
    const index = matches[this.#majority - 1]!;
    if (index > this.#commit && this.#log.termAt(index) === this.#term) this.#commit = index;
  }

  #refuse(conflictIndex: number, conflictTerm: number): AppendReply {
    return { term: this.#term, success: false, match: 0, conflictIndex, conflictTerm };
  }
}

const NO_OP = new Uint8Array();
