// Drives one Raft state machine over a transport: feeds it time, random numbers and messages, and
// performs its saves, sends and applies. The transport is the only tie to Trunkline; its clock and
// its random source are the only ones used here.

import {
  type ClockTimer,
  type Server,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import type { Message, RaftProtocol, Saved, Snapshot } from './messages.ts';
import { type Outputs, Raft, type Status } from './raft.ts';
import { chunks, gather } from './snapshot-stream.ts';
import type { RaftStorage } from './storage.ts';

export interface RaftNodeOptions {
  /** A transport that is already listening. It stays the caller's: the node never closes it. */
  readonly transport: Transport<RaftProtocol>;
  /**
   * The targets of all nodes, including this one: addresses, with 'nodeId@' in front if ids are
   * proven. All nodes have the same list.
   */
  readonly members: readonly string[];
  /** The entry of `members` for this node. Default: the advertised address of its transport. */
  readonly id?: string | undefined;
  readonly machine: StateMachine;
  /** The storage that outlives the node. */
  readonly storage: RaftStorage;
  /**
   * Milliseconds without a leader before a node stands for election; each node waits between this
   * time and twice this time. Default: 300.
   */
  readonly electionTimeout?: number | undefined;
  /**
   * Milliseconds between heartbeats. Default: 60, so that a few may be lost before a node stands
   * for election.
   */
  readonly heartbeat?: number | undefined;
  /** Entries applied between two snapshots. Default: 1,000. */
  readonly snapshotEvery?: number | undefined;
  /**
   * Entries that stay in the log behind a snapshot, for nodes that lag a little. Default: half of
   * `snapshotEvery`.
   */
  readonly keep?: number | undefined;
  /** Receives events, for monitoring; it must not throw. */
  readonly onEvent?: ((event: RaftEvent) => void) | undefined;
}

/**
 * A deterministic state machine: equal commands in equal order give equal results, content and
 * snapshots on every node.
 */
export interface StateMachine {
  /**
   * Applies a committed command and returns its result. An invalid command must also have a result,
   * because an exception stops the node.
   */
  apply(command: Uint8Array): Uint8Array;
  /** Returns the whole content. */
  snapshot(): Uint8Array;
  /** Replaces the whole content. */
  restore(snapshot: Uint8Array): void;
}

export type RaftEvent =
  | { readonly type: 'role'; readonly status: Status }
  /** A leader's snapshot has replaced the content. */
  | { readonly type: 'restored'; readonly index: number; readonly bytes: number }
  | { readonly type: 'failed'; readonly error: unknown };

/** A proposal that waits for its entry to be committed. */
interface Pending {
  readonly term: number;
  resolve(result: Uint8Array): void;
  reject(error: TransportError): void;
}

export class RaftNode {
  readonly id: string;
  readonly machine: StateMachine;
  readonly #transport: Transport<RaftProtocol>;
  readonly #electionTimeout: number;
  readonly #snapshots: { readonly every: number; readonly keep: number };
  readonly #onEvent: (event: RaftEvent) => void;
  readonly #storage: RaftStorage;
  readonly #raft: Raft;
  readonly #server: Server;
  readonly #pending = new Map<number, Pending>();
  readonly #calls = new Set<Promise<void>>();
  /** Aborts all calls. */
  readonly #abort = new AbortController();
  /** Release the replies that wait until what they promise is saved. */
  readonly #held: (() => void)[] = [];
  #status: Status;
  #applied = 0;
  #snapshotAt = 0;
  #installing = false;
  #work: Promise<void> | undefined;
  #again = false;
  #timer: ClockTimer | undefined;
  #timerAt = Infinity;
  #closing: Promise<void> | undefined;

  /** Loads the saved state and starts to take part. Rejects if the store fails. */
  static async start(options: RaftNodeOptions): Promise<RaftNode> {
    return new RaftNode(options, await options.storage.load());
  }

  private constructor(options: RaftNodeOptions, saved: Saved | undefined) {
    const { transport, members, electionTimeout = 300, heartbeat = 60 } = options;
    const { snapshotEvery = 1_000, keep = Math.floor(snapshotEvery / 2) } = options;
    this.id = options.id ?? transport.advertiseAddr();
    if (!members.includes(this.id))
      throw new TypeError(
        `members: must contain the target of this node, '${this.id}', got ${members.join(', ')}`,
      );
    this.#transport = transport;
    this.#electionTimeout = electionTimeout;
    this.#snapshots = { every: snapshotEvery, keep };
    this.#onEvent = options.onEvent ?? (() => {});
    this.machine = options.machine;
    this.#storage = options.storage;
    this.#raft = new Raft(
      { id: this.id, members, saved, electionTimeout, heartbeat },
      transport.clock.now(),
      transport.random(),
    );
    this.#status = this.#raft.status;
    if (saved?.snapshot !== undefined) this.#restore(saved.snapshot);
    this.#server = this.#serve();
    this.#step(() => undefined);
  }

  /** The current status. */
  get status(): Status & { readonly applied: number } {
    return { ...this.#raft.status, applied: this.#applied };
  }

  /**
   * Has a command replicated and applied; resolves with its result on this node. Rejects with:
   *
   * - `failed_precondition`: another node leads, and `metadata.leader` is its address.
   * - `unavailable`: there is no leader at the moment. With `sent: true`, the leadership was lost
   *   meanwhile, and the command may or may not take effect.
   * - `resource_exhausted`: 4,096 commands are pending.
   */
  async propose(command: Uint8Array): Promise<Uint8Array> {
    if (command.length === 0)
      throw new TransportError('invalid_argument', 'a command must have at least one byte');
    if (this.#closing !== undefined) throw this.#closed();
    if (this.#pending.size >= MAX_PENDING)
      throw new TransportError(
        'resource_exhausted',
        `${this.id} has ${MAX_PENDING} pending commands already; retry later`,
      );
    const position = this.#step(() => this.#raft.propose(command));
    if (position === undefined) throw this.#notLeader();
    return new Promise((resolve, reject) =>
      this.#pending.set(position.index, { term: position.term, resolve, reject }),
    );
  }

  /**
   * Stops taking part; resolves when no call, timer or save is left. The transport stays open.
   * Idempotent.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { clock } = this.#transport;
    clock.clearTimeout(this.#timer);
    this.#abort.abort(this.#closed());
    for (const release of this.#held.splice(0)) release();
    for (const { reject } of this.#pending.values()) reject(this.#closed());
    this.#pending.clear();
    await this.#server.stop({ grace: 0 });
    await this.#work;
    await Promise.all(this.#calls);
  }

  // Inputs: each goes to the machine through `#step`.

  #step<T>(input: (now: number) => T): T {
    const result = input(this.#transport.clock.now());
    this.#again = true;
    // Runs at the end of the tick, so that inputs that arrive together are saved, sent and applied
    // together.
    this.#work ??= new Promise((resolve) =>
      this.#transport.clock.defer(() => void this.#run().then(resolve)),
    );
    this.#arm();
    return result;
  }

  #arm(): void {
    const { clock } = this.#transport;
    const at = this.#raft.wakeAt;
    // A timer that fires early finds nothing to do, and arms the next one.
    if (this.#closing !== undefined || at >= this.#timerAt) return;
    clock.clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = clock.setTimeout(() => {
      this.#timerAt = Infinity;
      if (this.#closing === undefined)
        this.#step((now) => this.#raft.wake(now, this.#transport.random()));
    }, at - clock.now());
  }

  #serve(): Server {
    const raft = this.#raft;
    return serve(this.#transport, {
      requestVote: (request) => this.#answer((now) => raft.requestVote(now, request)),
      appendEntries: (request) => this.#answer((now) => raft.appendEntries(now, request)),
      installSnapshot: async (request, { upload }) => {
        if (this.#installing)
          throw new TransportError('resource_exhausted', `${this.id} is already taking a snapshot`);
        this.#installing = true;
        try {
          this.#step((now) => raft.heed(now, request));
          const data = await gather(upload, request.size);
          return await this.#answer((now) => raft.installSnapshot(now, request, data));
        } finally {
          this.#installing = false;
        }
      },
      propose: (command) => this.propose(command),
    });
  }

  async #answer<T>(input: (now: number) => T): Promise<T> {
    if (this.#closing !== undefined) throw this.#closed();
    const reply = this.#step(input);
    await new Promise<void>((release) => this.#held.push(release));
    if (this.#closing !== undefined) throw this.#closed();
    return reply;
  }

  // Outputs: performed in the machine's order.

  async #run(): Promise<void> {
    try {
      while (this.#again && this.#closing === undefined) {
        this.#again = false;
        const outputs = this.#raft.take();
        const due = this.#held.length;
        if (outputs.save !== undefined) await this.#storage.save(outputs.save);
        if (this.#closing === undefined) this.#perform(outputs, due);
      }
    } catch (error) {
      // A node that cannot save or apply must not vote or promise anything, so it stops.
      this.#onEvent({ type: 'failed', error });
      void this.close();
    } finally {
      this.#work = undefined;
    }
  }

  #perform({ messages, restore, apply, applied }: Outputs, due: number): void {
    for (const release of this.#held.splice(0, due)) release();
    for (const message of messages) this.#send(message);
    if (restore !== undefined) {
      this.#restore(restore);
      this.#onEvent({ type: 'restored', index: restore.index, bytes: restore.data.length });
    }
    for (const { index, term, command } of apply) {
      const result = this.machine.apply(command);
      const pending = this.#pending.get(index);
      if (pending?.term !== term) continue;
      this.#pending.delete(index);
      pending.resolve(result);
    }
    this.#applied = applied;
    this.#noticeRole();
    if (this.#applied - this.#snapshotAt < this.#snapshots.every) return;
    this.#raft.compact(this.#applied, this.machine.snapshot(), this.#snapshots.keep);
    this.#snapshotAt = this.#applied;
    this.#again = true;
  }

  #restore({ index, data }: Snapshot): void {
    this.machine.restore(data);
    this.#snapshotAt = index;
  }

  #noticeRole(): void {
    const before = this.#status;
    const status = (this.#status = this.#raft.status);
    for (const [index, pending] of this.#pending) {
      // The same holds for all that follow.
      if (status.role === 'leader' && pending.term === status.term) break;
      this.#pending.delete(index);
      const message = `${this.id} lost its leadership in term ${pending.term} before entry ${index} was committed: the command may or may not take effect`;
      pending.reject(
        new TransportError('unavailable', message, { sent: true, metadata: leaderHint(status) }),
      );
    }
    const isChanged = (['role', 'term', 'leader'] as const).some(
      (key) => status[key] !== before[key],
    );
    if (isChanged) this.#onEvent({ type: 'role', status });
  }

  #send(message: Message): void {
    const call = this.#call(message).then(
      (answer) => this.#settle(answer),
      () => this.#settle(() => this.#raft.failed(message)),
    );
    this.#calls.add(call);
    void call.then(() => this.#calls.delete(call));
  }

  /** Makes a call, and resolves with a function that passes the answer to the machine. */
  async #call(message: Message): Promise<(now: number) => void> {
    const transport = this.#transport;
    const { signal } = this.#abort;
    // A lost vote or heartbeat must leave time for another before the next election.
    const timeout = this.#electionTimeout / 2;
    switch (message.method) {
      case 'requestVote': {
        const options = { signal, timeout };
        const reply = await transport.send(message.to, 'requestVote', message.request, options);
        return (now) => this.#raft.voted(now, message, reply);
      }
      case 'appendEntries': {
        const factor = message.request.entries.length > 0 ? 2 : 1;
        const options = { signal, timeout: factor * timeout };
        const reply = await transport.send(message.to, 'appendEntries', message.request, options);
        return (now) => this.#raft.appended(now, message, reply);
      }
      case 'installSnapshot': {
        const options = { signal, upload: chunks(message.data) };
        const reply = await transport.send(message.to, 'installSnapshot', message.request, options);
        return (now) => this.#raft.installed(now, message, reply);
      }
    }
  }

  #settle(input: (now: number) => void): void {
    if (this.#closing === undefined) this.#step(input);
  }

  #notLeader(): TransportError {
    const { term, leader } = this.#raft.status;
    if (leader === undefined)
      return new TransportError(
        'unavailable',
        `${this.id} knows no leader in term ${term}; retry in a moment`,
      );
    return new TransportError(
      'failed_precondition',
      `${this.id} does not lead term ${term}; propose to ${leader}`,
      { metadata: { leader } },
    );
  }

  #closed(): TransportError {
    return new TransportError('shutdown', `the raft node ${this.id} is closed`);
  }
}

function leaderHint({ leader }: Status): Record<string, string> | undefined {
  return leader === undefined ? undefined : { leader };
}

const MAX_PENDING = 4_096;
