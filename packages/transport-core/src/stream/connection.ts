// One connection of a transport: it joins a session to a stream and a clock. It owns the admission
// of the peer; its input and output own the stream. The session and the transport report to it, and
// its input reports the end of the stream. It passes on the questions that only the transport can
// answer. Calls do not pass through it: the transport gives our calls to `caller`, and the session
// gives the peer's calls to the mount of their protocol.

import { spelled } from '../address.ts';
import type { CommonConfig } from '../common-options.ts';
import { type TransportError, withoutStack } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { RpcHost } from '../rpc/call.ts';
import type { Caller } from '../session/caller.ts';
import type { InCall, Mounted } from '../session/incoming-calls.ts';
import type { OutCall } from '../session/out-call.ts';
import { Session } from '../session/session.ts';
import type { SessionOptions, SessionParts, SessionVisitor } from '../session/session-parts.ts';
import { allocate, freeChunk } from '../system-memory.ts';
import { cleanText } from '../text.ts';
import type { Announcement, Hello, Introduction } from '../wire/hello.ts';
import { ConnectionInput } from './connection-input.ts';
import { ConnectionOutput } from './connection-output.ts';
import { ATTACHMENT, askAdmit, askHello, mismatch, unreachable } from './membership.ts';
import type { HandshakeSlot, StreamConnection } from './stream-layer.ts';
import type { TransportResources } from './transport-resources.ts';

/**
 * The transport as its connections, pool, mounts and listeners see it. It is an interface because
 * `TransportEngine`, which implements it, imports all of them.
 */
export interface ConnectionHost
  extends TransportResources,
    Omit<RpcHost, keyof TransportResources> {
  /** The identity that is shown to peers. */
  readonly self: Introduction;
  /** The mounted protocols by channel, which receive the peers' calls. */
  readonly mounts: ReadonlyMap<number, Mounted>;
  /** All connections whose stream is not closed yet. */
  readonly connections: ReadonlySet<Connection>;
  /** Creates the connection of a stream and adds it to the transport's connections. */
  add(stream: StreamConnection, init: ConnectionInit): Connection;
  /** Returns an error if `limits.connections` allows no more connections. */
  full(): TransportError | undefined;
  /** Makes a connection take no new calls, and close when its calls are done. */
  retire(connection: Connection): void;
  /** @param retryIn the milliseconds until a held target is dialed again. */
  dialFailed(target: string, error: TransportError, retryIn: number | undefined): void;
  /** Reports that a listener has failed: the node is not ready until `listensAgain` is called. */
  listenFailed(listener: object, error: TransportError, retryIn: number): void;
  /** Reports that a listener that had failed listens again, or is not needed anymore. */
  listensAgain(listener: object): void;
  up(connection: Connection): void;
  /** True if some protocol has a reader here. */
  readonly isRead: boolean;
  leaving(connection: Connection, waiting: OutCall[]): void;
  readonly pool: {
    /** Reports that the pipe ran out of credit while long messages wait, or has credit again. */
    crowding(connection: Connection): void;
    /** Reports that the peer of a connection refuses calls because it drains. */
    drains(connection: Connection): void;
  };
  /**
   * Reports that the session has ended; the stream may still be closing.
   *
   * @param unsent the calls that no handler can have seen, in order.
   */
  down(connection: Connection, error: TransportError, wasUp: boolean, unsent: OutCall[]): void;
  /** Reports that the stream is closed and nothing of the connection is left. */
  gone(connection: Connection): void;
}

/** The properties of a new connection. */
export interface ConnectionInit {
  readonly direction: 'in' | 'out';
  /** The dialed target, as written; undefined on an accepted connection. */
  readonly target?: string | undefined;
  /** The node id that the caller wants to reach. */
  readonly expected?: string | undefined;
  /** The error with which this end refuses any peer on this connection. */
  readonly refused?: TransportError | undefined;
  /** The handshake slot of an accepted connection. */
  readonly slot?: HandshakeSlot | undefined;
  /**
   * Called once for a dialed connection: without an error when it is up, or with the error that
   * prevented it.
   */
  readonly opened?: ((error: TransportError | undefined) => void) | undefined;
}

/** One connection of a transport. */
export class Connection implements SessionVisitor {
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly endpoint: string;
  readonly target: string | undefined;
  readonly since: number;
  /** True if it counts towards limits.connections; refused connections do not. */
  readonly counts: boolean;
  remote: LiveRemote | undefined = undefined;
  readonly host: ConnectionHost;
  /** Starts our calls on this connection. */
  readonly caller: Caller;
  /** The parts of the session, which know its load, its calls and its queues. */
  readonly parts: SessionParts;
  readonly session: Session;
  /** The handshake slot, and the callback for the outcome, until the hello is complete. */
  #opening: Pick<ConnectionInit, 'slot' | 'opened'> | undefined;
  #isGone = false;
  readonly output: ConnectionOutput;
  readonly input: ConnectionInput;
  readonly #stream: StreamConnection;
  readonly #expected: string | undefined;
  /** Callers that wait until the stream is closed. */
  readonly #waiting: (() => void)[] = [];

  constructor(host: ConnectionHost, stream: StreamConnection, init: ConnectionInit, id: string) {
    this.host = host;
    this.#stream = stream;
    this.id = id;
    this.direction = init.direction;
    this.target = init.target;
    this.counts = init.refused === undefined;
    this.#expected = init.expected;
    this.endpoint = stream.endpoint;
    this.since = host.ticker.now();
    this.#opening = { slot: init.slot, opened: init.opened };
    this.output = new ConnectionOutput(this, host, stream);
    this.session = new Session(sessionOptions(host, stream, init, this, this.output));
    this.output.attach(this.session);
    this.parts = this.session.parts;
    this.caller = this.parts.caller;
    this.input = new ConnectionInput(host, stream, this.session, this);
  }

  /** Starts the connection: the stream reports from now on, and the dialing end sends its hello. */
  start(): void {
    this.#stream.attach(this.input);
    if (this.direction === 'in' || this.over) return;
    if (this.#expected !== undefined && this.#stream.nodeId !== this.#expected)
      return this.session.break(mismatch(this.#expected, this.#stream));
    if (this.#stream.refused !== undefined) return this.session.break(this.#stream.refused);
    this.#introduce((fields) => this.session.open(fields));
  }

  // Properties.

  /** True if the session has ended. */
  get over(): boolean {
    return this.session.state === 'closed';
  }

  get attachment(): object | undefined {
    return this.#stream.attachment;
  }

  /** True if the connection takes new calls: its hello is complete, and it is not closing. */
  get isUp(): boolean {
    return this.session.state === 'up';
  }

  // Calls.

  /**
   * Sends a one-way if it can be sent now, and returns false otherwise. Throws if it can never be
   * sent.
   */
  trySend(channel: number, method: ProtocolMethod, payload: Uint8Array): boolean {
    if (!this.isUp) return false;
    return this.caller.trySend(channel, method, payload);
  }

  /** The channels, which know the protocols that the two ends have mounted. */
  get channels(): Session['parts']['channels'] {
    return this.session.parts.channels;
  }

  /** Lets the process end in spite of this connection, if it was dialed only to make calls. */
  ref(): void {
    if (this.direction === 'out' && this.isUp) this.#stream.ref?.(this.host.isRead);
  }

  // The end of the connection.

  /** Resolves when the stream is closed. */
  whenGone(): Promise<void> {
    return this.#isGone ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  // Time.

  /** Does everything that is due at `now`, then sets `due` to the next time. */
  wake(now: number): void {
    const { context } = this.session.parts;
    // Reset first, because the work below may request an earlier time than it returns.
    context.wakesAt(Number.POSITIVE_INFINITY);
    this.output.wake(now);
    this.input.wake(now);
    // A connection that its own rate limit holds back is not stuck.
    if (this.output.isHeldBack) context.heldBack(now);
    const next = this.session.wake(now);
    context.wakesAt(Math.min(context.due, next, this.output.due, this.input.due));
  }

  /** The latest time at which the connection needs `wake`. */
  get due(): number {
    return this.parts.context.due;
  }

  crowding(): void {
    this.host.pool.crowding(this);
  }

  /** Called when the stream is closed; its other reports go to the input. */
  closed(error?: TransportError): void {
    this.output.release();
    this.host.ticker.run((now) => {
      this.input.finish(now);
      this.session.closed(
        error === undefined ? undefined : withoutStack(error, { target: this.target }),
      );
    });
    this.#isGone = true;
    this.host.gone(this);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  // Reports of the session.

  drains(): void {
    this.host.pool.drains(this);
  }

  greeted(hello: Hello): void {
    const { config, membership, ticker } = this.host;
    this.remote = new LiveRemote(this, this.#stream.nodeId, hello);
    this.session.parts.context.meet(this.remote);
    const agree = (features: readonly string[]) => {
      if (this.direction === 'out') ticker.run(() => this.session.consent({}));
      else
        this.#introduce((fields) => {
          ticker.run(() => this.session.consent(fields, features));
          this.#opening?.slot?.answered?.((error) => this.session.cut(error));
        });
    };
    const pending = { remote: this.remote, target: this.target, hello };
    askAdmit(config, membership, pending, agree, (error) => this.session.break(error));
  }

  /** Gets the fields of the hello for this peer. */
  #introduce(then: (fields: Readonly<Record<string, string>>) => void): void {
    askHello(this.host.config, this.target, then, (error, cause) => {
      this.host.reporter.tell({ type: 'callbackFailed', callback: 'hello', error: cause });
      this.session.break(error);
    });
  }

  up(): void {
    const opened = this.#leaveOpening();
    this.ref();
    this.host.up(this);
    this.#compare();
    opened?.(undefined);
  }

  /**
   * Frees the handshake slot if the connection was opening. Returns the callback that still has to
   * be called with the outcome.
   */
  #leaveOpening(error?: TransportError): ConnectionInit['opened'] {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.slot?.leave(error);
    return opening?.opened;
  }

  leaving(waiting: OutCall[]): void {
    this.host.leaving(this, waiting);
  }

  abandoned(calls: InCall[]): void {
    this.host.aborts.add(calls);
  }

  down(error: TransportError, unsent: OutCall[]): void {
    const wasUp = this.#opening === undefined;
    this.input.stop();
    const opened = this.#leaveOpening(error);
    this.host.down(this, error, wasUp, unsent);
    opened?.(unreachable(error, this.target!));
  }

  protocolsChanged(announcement: Announcement | undefined): void {
    if (announcement !== undefined) {
      const remote = this.remote!;
      if (remote.move(announcement.addr)) this.host.membership?.moved?.(remote);
      this.host.membership?.remounted?.(remote, announcement.protocols);
    }
    this.#compare();
  }

  /** Reports the protocols that the two ends have mounted in incompatible ways. */
  #compare(): void {
    const { isUp, channels, remote } = this;
    if (remote === undefined || !isUp) return;
    for (const { protocol, error } of channels.disagreements())
      this.host.reporter.tell({ type: 'mismatch', remote, protocol, error });
  }
}

// The options of a session, which follow from those of the transport.

/**
 * Returns the options of a session. They are one object literal, because V8 keeps a hidden class of
 * 650 bytes for each connection if a part of them is spread into the rest.
 */
function sessionOptions(
  host: ConnectionHost,
  stream: StreamConnection,
  { direction, slot, refused }: ConnectionInit,
  connection: Connection,
  output: ConnectionOutput,
): SessionOptions {
  const { config, memory, self, mounts, random, ticker } = host;
  const { limits, keepAlive, idleTimeout, handshakeTimeout } = config;
  return {
    visitor: connection,
    writer: output.writer,
    port: output,
    preamble: output.preamble,
    count: (counter, amount) => host.reporter.count(counter, amount, connection.remote),
    side: direction === 'out' ? 'dialer' : 'acceptor',
    limits: stream.credit === undefined ? limits : withCredit(limits, stream.credit),
    memory,
    allocate,
    freeMemory: freeChunk,
    self,
    proven: stream.nodeId,
    observed: stream.endpoint.slice(0, OBSERVED),
    mounts,
    keepAlive,
    idleTimeout,
    // The time that the layer below took, or that was spent waiting for a turn, is subtracted.
    handshakeTimeout:
      slot === undefined
        ? handshakeTimeout
        : Math.max(handshakeTimeout - (ticker.now() - slot.since), 0),
    random,
    refused: stream.refused ?? refused,
    ticker,
    isBounded: limits.rate.send !== undefined,
    copies: stream.reuses === true,
  };
}

function withCredit(
  limits: CommonConfig['limits'],
  credit: NonNullable<StreamConnection['credit']>,
): CommonConfig['limits'] {
  return { ...limits, credit: { ...limits.credit, ...(credit as typeof limits.credit) } };
}

/** The maximum length of the observed address in a hello. */
const OBSERVED = 256;

// The Remote of a live connection, as users see it. The connection itself stays private.

/** The Remote of a live connection. */
export class LiveRemote implements Remote {
  readonly id: string;
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  addr: string | undefined;
  readonly nodeId: string | undefined;
  readonly instance: string;
  readonly hello: Readonly<Record<string, string>>;
  readonly #connection: Connection;

  constructor(connection: Connection, nodeId: string | undefined, hello: Hello) {
    this.#connection = connection;
    this.id = connection.id;
    this.endpoint = connection.endpoint;
    this.direction = connection.direction;
    this.nodeId = nodeId;
    this.addr = hello.addr === '' ? undefined : spelledAddresses(hello.addr);
    this.instance = hello.instance;
    this.hello = Object.freeze(hello.fields);
  }

  /** Replaces the address unless `addr` is empty. Returns true if that changes it. */
  move(addr: string): boolean {
    const before = this.addr;
    if (addr !== '') this.addr = spelledAddresses(addr);
    return this.addr !== before;
  }

  get closed(): boolean {
    return this.#connection.over;
  }

  get rtt(): number | undefined {
    return this.#connection.session.parts.liveness.rtt;
  }

  get silence(): number {
    const { session, host } = this.#connection;
    return session.parts.liveness.silence(host.ticker.now());
  }

  /** @internal */
  get [ATTACHMENT as never](): object | undefined {
    return this.#connection.attachment;
  }

  /**
   * Returns the connection of a Remote; undefined if another copy of the package made the Remote.
   */
  static connectionOf(remote: Remote): Connection | undefined {
    return #connection in remote ? (remote as LiveRemote).#connection : undefined;
  }
}

function spelledAddresses(addr: string): string {
  return cleanText(addr).split(',').map(spelled).join();
}

/** Returns the connection behind a Remote of this transport. */
export function connectionOf(remote: Remote): Connection {
  return LiveRemote.connectionOf(remote)!;
}
