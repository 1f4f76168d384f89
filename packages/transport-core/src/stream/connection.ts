// One connection of a transport: it joins a session to a stream and a clock. It owns the admission
// of the peer; its input and output own the stream. The session and the transport report to it, and
// its input reports the end of the stream. It passes on the questions that only the transport can
// answer. Calls do not pass through it: the transport gives our calls to `caller`, and the session
// gives the peer's calls to the mount of their protocol. `ConnectionHost.add` creates it, and its
// dialer or its acceptor starts it. remote.test.ts tests the Remote, testing/session and
// transport/hellos.ts of the testkit the rest.

import { parseTarget, spelled } from '../address.ts';
import { helloFields } from '../common-options.ts';
import { reasonError, TransportError, withDetails, withoutStack } from '../errors.ts';
import type { Remote } from '../remote.ts';
import type { RpcHost } from '../rpc/inbox.ts';
import type { Caller } from '../session/caller.ts';
import type { InCall, Mounted } from '../session/incoming-calls.ts';
import type { OutCall } from '../session/outgoing-calls.ts';
import { Session } from '../session/session.ts';
import type { SessionOptions, SessionParts, SessionVisitor } from '../session/session-parts.ts';
import { allocate, freeChunk } from '../system-memory.ts';
import { cleanText, errorText } from '../text.ts';
import type { Announcement, Hello, Introduction } from '../wire/hello.ts';
import { ConnectionInput } from './connection-input.ts';
import { ConnectionOutput, type ConnectionOwner } from './connection-output.ts';
import { ATTACHMENT, type PendingConnection } from './membership.ts';
import type { HandshakeSlot, StreamConnection } from './stream-layer.ts';
import type { TransportResources } from './transport-resources.ts';

/**
 * The transport as its connections, pool, dialer and acceptor see it; its mounts see the part that
 * is `RpcHost`. It is an interface because `TransportEngine`, which implements it, imports all of
 * them.
 */
export interface ConnectionHost
  extends TransportResources,
    Introduction,
    Omit<RpcHost, keyof TransportResources> {
  /** The mounted protocols by channel, which receive the peers' calls. */
  readonly mounts: ReadonlyMap<number, Mounted>;
  /** All connections whose stream is not closed yet. */
  readonly connections: ReadonlySet<Connection>;
  /**
   * Creates the connection of a stream and adds it to the transport's connections. The caller then
   * starts it.
   */
  add(stream: StreamConnection, init: ConnectionInit): Connection;
  /** Returns an error if `limits.connections` allows no more connections. */
  full(): TransportError | undefined;
  /**
   * Makes a connection, whose address is no longer listed for its name, take no new calls, and
   * close when its calls are done or the time limit of a graceful close has passed.
   */
  retire(connection: Connection): void;
  /**
   * Reports a failed dial to the observer and, if no connection to the target is left, to the
   * readers of `connections()`.
   *
   * @param retryIn the milliseconds until a held target is dialed again; undefined if it is not.
   */
  dialFailed(target: string, error: TransportError, retryIn: number | undefined): void;
  /** Reports that a listener has failed: the node is not ready until `listensAgain` is called. */
  listenFailed(listener: object, error: TransportError, retryIn: number): void;
  /** Reports that a listener that had failed listens again, or is not needed anymore. */
  listensAgain(listener: object): void;
  /** Reports that the hello is complete. Starts the calls that wait for the dialed target. */
  up(connection: Connection): void;
  /** True if some protocol has a reader here. */
  readonly isRead: boolean;
  /** See `SessionVisitor.leaving`. Sends the calls that waited for room elsewhere. */
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
   * @param wasUp false if the hello was not complete.
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
export class Connection implements SessionVisitor, ConnectionOwner {
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly endpoint: string;
  readonly target: string | undefined;
  readonly since: number;
  /** True if it counts toward limits.connections; one with `ConnectionInit.refused` does not. */
  readonly counts: boolean;
  /** The peer; set when its hello has arrived, before it is admitted. */
  remote: LiveRemote | undefined = undefined;
  readonly host: ConnectionHost;
  /** Starts our calls on this connection. */
  readonly caller: Caller;
  /** The parts of the session, which know its load, its calls and its queues. */
  readonly parts: SessionParts;
  readonly session: Session;
  /**
   * The handshake slot, and the callback for the outcome, until the connection is up or has ended.
   * `down` tells by it whether the connection was up.
   */
  #opening: Pick<ConnectionInit, 'slot' | 'opened'> | undefined;
  readonly output: ConnectionOutput;
  readonly input: ConnectionInput;
  readonly stream: StreamConnection;
  /** Callers that wait until the stream is closed. */
  readonly #waiting: (() => void)[] = [];

  constructor(host: ConnectionHost, stream: StreamConnection, init: ConnectionInit, id: string) {
    this.host = host;
    this.stream = stream;
    this.id = id;
    this.direction = init.direction;
    this.target = init.target;
    this.counts = init.refused === undefined;
    this.endpoint = stream.endpoint;
    this.since = host.ticker.now();
    this.#opening = { slot: init.slot, opened: init.opened };
    this.output = new ConnectionOutput(this);
    this.session = new Session(sessionOptions(this, init));
    this.parts = this.session.parts;
    this.caller = this.parts.caller;
    this.input = new ConnectionInput(this);
  }

  /**
   * Starts the connection: the stream reports from now on, and the dialing end sends its hello.
   * Call it right after `ConnectionHost.add`; see `StreamConnection.attach`.
   */
  start(): void {
    this.stream.attach(this.input);
    if (this.direction === 'in' || this.over) return;
    const { nodeId } = parseTarget(this.target!);
    if (nodeId !== undefined && this.stream.nodeId !== nodeId)
      return this.session.break(mismatch(nodeId, this.stream));
    if (this.stream.refused !== undefined) return this.session.break(this.stream.refused);
    this.#introduce((fields) => this.session.open(fields));
  }

  // Properties.

  /** True if the session has ended. */
  get over(): boolean {
    return this.session.state === 'closed';
  }

  /** True if the connection takes new calls: its hello is complete, and it is not closing. */
  get isUp(): boolean {
    return this.session.state === 'up';
  }

  /**
   * Lets a dialed connection keep the process alive only while some protocol has a reader here.
   * Called when it is up, and when a reader or a protocol comes or goes.
   */
  ref(): void {
    if (this.direction === 'out' && this.isUp) this.stream.ref?.(this.host.isRead);
  }

  // The end of the connection.

  /** Resolves when the stream is closed. */
  whenGone(): Promise<void> {
    if (!this.host.connections.has(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  // Time.

  /**
   * Does everything that is due at `now`, then sets `due` to the next time. `TransportEngine` calls
   * it within a tick, and then sets the timer.
   */
  wake(now: number): void {
    const { context } = this.parts;
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

  /** Called by the input, which receives all reports of the stream, when the stream is closed. */
  closed(error?: TransportError): void {
    this.output.release();
    this.host.ticker.run((now) => {
      // First, because the answers that it reads settle calls that would fail otherwise.
      this.input.finish(now);
      this.session.closed(error && withoutStack(error, { target: this.target }));
    });
    this.host.gone(this);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  // Reports of the session.

  drains(): void {
    this.host.pool.drains(this);
  }

  greeted(hello: Hello): void {
    const { host, target } = this;
    const remote = new LiveRemote(this, this.stream.nodeId, hello);
    this.remote = remote;
    this.parts.context.meet(remote);
    const { nodeId: claim, protocols, features } = hello;
    const peer: PendingConnection = { remote, claim, protocols, target, features, answer: NONE };
    const agree = () => this.#agree(peer.answer);
    const refuse = (error: unknown) => this.session.break(refusal(error));
    // If the connection is over already, the membership would never hear of its end. A membership
    // that was released meanwhile is not asked. (A new one has ended the connection by `manage`.)
    const ask = () => this.over || attempt(() => host.membership?.admit(peer), agree, refuse);
    const { admit } = host.config;
    attempt(() => admit?.(remote), ask, refuse);
  }

  /** Accepts a peer that was admitted; an acceptor lists these features in its answer. */
  #agree(features: readonly string[]): void {
    const { ticker } = this.host;
    if (this.direction === 'out') return ticker.run(() => this.session.consent({}));
    this.#introduce((fields) => {
      ticker.run(() => this.session.consent(fields, features));
      this.#opening?.slot?.answered?.((error) => this.session.cut(error));
    });
  }

  /** Gets the fields of the hello for this peer from the options `hello` and `name`. */
  #introduce(then: (fields: Readonly<Record<string, string>>) => void): void {
    const { config, fields, reporter } = this.host;
    const { hello, name } = config;
    if (typeof hello !== 'function') return then(fields);
    const fail = (error: unknown) => {
      reporter.tell({ type: 'callbackFailed', callback: 'hello', error });
      const message = `this end's 'hello' option failed: ${errorText(error)}`;
      this.session.break(
        error instanceof TransportError
          ? withDetails(error, OWN)
          : new TransportError('unavailable', message, { ...OWN, cause: error }),
      );
    };
    attempt(
      () => hello(this.target),
      (given) => attempt(() => helloFields(given, 'hello', name), then, fail),
      fail,
    );
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
    const { isUp, parts, remote } = this;
    if (remote === undefined || !isUp) return;
    for (const { protocol, error } of parts.channels.disagreements())
      this.host.reporter.tell({ type: 'mismatch', remote, protocol, error });
  }
}

// The errors that end a connection during its hello, and the call of an option.

/**
 * Returns the error of a dial that failed after the stream was open, phrased like the errors of
 * stream layers.
 */
function unreachable(error: TransportError, target: string): TransportError {
  const message = `Cannot connect to ${target}: ${error.message}`;
  return withoutStack(error, { target, sent: false }, message);
}

/** Returns the error for a peer that is not the dialed node. */
function mismatch(expected: string, { nodeId, endpoint }: StreamConnection): TransportError {
  const found = nodeId === undefined ? 'proved no id' : `proved to be ${nodeId}`;
  const text = `node ${expected} was dialed, but the peer that answered at ${endpoint} ${found}`;
  return reasonError('identity_mismatch', text);
}

/** Converts the value that `admit` threw into the error that both ends see. */
function refusal(error: unknown): TransportError {
  if (error instanceof TransportError && error.target !== undefined)
    // The peer must not see the target of another call, nor the text of its error.
    error = new TransportError('internal', 'another call that admit made has failed', {
      cause: error,
    });
  if (error instanceof TransportError)
    return withDetails(error, { reason: error.reason ?? 'refused', sent: false });
  return reasonError('refused', errorText(error), { sent: false, cause: error });
}

/** Calls a function that may return a value or a promise; creates no promise for a plain value. */
function attempt<T>(
  run: () => T | PromiseLike<T>,
  then: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  let result: T | PromiseLike<T>;
  try {
    result = run();
    if (typeof (result as PromiseLike<T> | undefined)?.then === 'function')
      return void Promise.resolve(result).then(then, failed);
  } catch (error) {
    return failed(error);
  }
  then(result as T);
}

const NONE: readonly string[] = [];
/** Marks the error of a dial that this end itself has caused. */
const OWN = { unreachable: false } as const;

// The options of a session, which follow from those of the transport.

/**
 * Returns the options of a session. They are one object literal, because V8 keeps a hidden class of
 * 650 bytes for each connection if a part of them is spread into the rest.
 */
function sessionOptions(connection: Connection, { slot, refused }: ConnectionInit): SessionOptions {
  const { direction, host, output, stream } = connection;
  const { config, memory, mounts, random, ticker } = host;
  const { limits, keepAlive, idleTimeout, handshakeTimeout } = config;
  return {
    visitor: connection,
    writer: output.writer,
    port: output,
    preamble: output.preamble,
    count: (counter, amount) => host.reporter.count(counter, amount, connection.remote),
    side: direction === 'out' ? 'dialer' : 'acceptor',
    limits:
      stream.credit === undefined
        ? limits
        : { ...limits, credit: { ...limits.credit, ...(stream.credit as typeof limits.credit) } },
    memory,
    allocate,
    freeMemory: freeChunk,
    self: host,
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

/** The maximum length of the observed address in a hello, in characters. */
const OBSERVED = 256;

// The Remote of a live connection, as users see it. The connection itself stays private.

/** The Remote of a live connection. */
export class LiveRemote implements Remote {
  readonly id: string;
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  addr: string | undefined = undefined;
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
    this.instance = hello.instance;
    this.hello = Object.freeze(hello.fields);
    this.move(hello.addr);
  }

  /** Replaces the address unless `addr` is empty. Returns true if that changes it. */
  move(addr: string): boolean {
    const before = this.addr;
    if (addr !== '') this.addr = cleanText(addr).split(',').map(spelled).join();
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
    return this.#connection.stream.attachment;
  }

  /**
   * Returns the connection of a Remote; undefined if another copy of the package made the Remote.
   */
  static connectionOf(remote: Remote): Connection | undefined {
    return #connection in remote ? (remote as LiveRemote).#connection : undefined;
  }
}

/** Returns the connection behind a Remote of this transport. */
export function connectionOf(remote: Remote): Connection {
  return LiveRemote.connectionOf(remote)!;
}
