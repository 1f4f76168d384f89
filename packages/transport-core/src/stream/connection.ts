// One connection of a transport: it joins a session to a stream and a clock. It owns the phase of
// the connection and the admission of the peer; its input and output own the stream. The session,
// the transport and the stream report to it, and it passes on the questions that only the transport
// can answer. Calls do not pass through it: the transport gives our calls to `caller`, and the
// session gives the peer's calls to the mount of their protocol.

import { spelled } from '../address.ts';
import type { CommonConfig } from '../common-options.ts';
import { type TransportError, withoutStack } from '../errors.ts';
import type { ObserverEvent } from '../observer.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { RpcHost } from '../rpc/call.ts';
import type { Caller } from '../session/caller.ts';
import type { InCall, Mounted } from '../session/incoming-calls.ts';
import type { OutCall } from '../session/out-call.ts';
import { type LeaveReason, Session } from '../session/session.ts';
import {
  SessionFigures,
  type SessionOptions,
  type SessionVisitor,
} from '../session/session-parts.ts';
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
    Omit<RpcHost, keyof TransportResources | 'dispatcher'> {
  /** Passes events to the observer. */
  readonly dispatcher: RpcHost['dispatcher'] & { tell(event: ObserverEvent): void };
  readonly state: 'open' | 'closing' | 'closed';
  /** The identity that is shown to peers. */
  readonly self: Introduction;
  /** The mounted protocols by channel, which receive the peers' calls. */
  readonly inboxes: ReadonlyMap<number, Mounted>;
  /** All connections whose stream is not closed yet. */
  readonly connections: ReadonlySet<Connection>;
  /** Creates the connection of a stream and adds it to the transport's connections. */
  add(stream: StreamConnection, init: Omit<ConnectionInit, 'id'>): Connection;
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
  readonly isServing: boolean;
  protocolsChanged(connection: Connection): void;
  leaving(connection: Connection, waiting: OutCall[]): void;
  /** Reports that the pipe ran out of credit while long messages wait, or has credit again. */
  crowding(connection: Connection): void;
  /** Reports that the peer of a connection refuses calls because it drains. */
  drains(connection: Connection): void;
  /** Reports that the session has ended; the stream may still be closing. */
  down(connection: Connection, error: TransportError, end: ConnectionEnd): void;
  /** Reports that the stream is closed and nothing of the connection is left. */
  gone(connection: Connection): void;
}

/** The properties of a new connection. */
export interface ConnectionInit {
  readonly id: string;
  readonly direction: 'in' | 'out';
  /** The dialed target, as written; undefined on an accepted connection. */
  readonly target: string | undefined;
  /** The node id that the caller wants to reach. */
  readonly expected: string | undefined;
  /** The error with which this end refuses any peer on this connection. */
  readonly refused: TransportError | undefined;
  /** The handshake slot of an accepted connection. */
  readonly slot: HandshakeSlot | undefined;
  /**
   * Called once for a dialed connection: without an error when it is up, or with the error that
   * prevented it.
   */
  readonly opened: ((error: TransportError | undefined) => void) | undefined;
}

/** The end of a session. */
export interface ConnectionEnd {
  readonly wasUp: boolean;
  /** The calls that no handler can have seen, in order. */
  readonly unsent: OutCall[];
}

/** The phases of a connection. */
type Phase =
  /** The hello is not complete. */
  | ({ readonly name: 'opening' } & Pick<ConnectionInit, 'slot' | 'opened'>)
  | { readonly name: 'up' }
  /** The session has ended; the stream may still be closing. */
  | { readonly name: 'over' }
  /** The stream is closed. */
  | { readonly name: 'gone' };

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
  /** The load of the session, and its calls and queues. */
  readonly figures: SessionFigures;
  #phase: Phase;
  readonly #session: Session;
  readonly #stream: StreamConnection;
  readonly #output: ConnectionOutput;
  readonly #input: ConnectionInput;
  readonly #expected: string | undefined;
  /** Callers that wait until the stream is closed. */
  readonly #waiting: (() => void)[] = [];

  constructor(host: ConnectionHost, stream: StreamConnection, init: ConnectionInit) {
    this.host = host;
    this.#stream = stream;
    this.id = init.id;
    this.direction = init.direction;
    this.target = init.target;
    this.counts = init.refused === undefined;
    this.#expected = init.expected;
    this.endpoint = stream.endpoint;
    this.since = host.ticker.now();
    this.#phase = { name: 'opening', slot: init.slot, opened: init.opened };
    this.#output = new ConnectionOutput(this, host, stream);
    this.#session = new Session(sessionOptions(host, stream, init, this, this.#output));
    this.#output.attach(this.#session);
    this.caller = this.#session.parts.caller;
    this.figures = new SessionFigures(this.#session.parts);
    this.#input = new ConnectionInput(host, stream, this.#session, this);
  }

  /** Starts the connection: the stream reports from now on, and the dialing end sends its hello. */
  start(): void {
    this.#stream.attach(this.#input);
    if (this.direction === 'in' || this.over) return;
    if (this.#expected !== undefined && this.#stream.nodeId !== this.#expected)
      return this.#session.break(mismatch(this.#expected, this.#stream));
    if (this.#stream.refused !== undefined) return this.#session.break(this.#stream.refused);
    this.#introduce((fields) => this.#session.open(fields));
  }

  // Properties.

  /** True if the session has ended. */
  get over(): boolean {
    return this.#phase.name === 'over' || this.#phase.name === 'gone';
  }

  get attachment(): object | undefined {
    return this.#stream.attachment;
  }

  /** True if the connection takes new calls: its hello is complete, and it is not closing. */
  get isUp(): boolean {
    return this.#session.state === 'up';
  }

  get state(): Session['state'] {
    return this.#session.state;
  }

  get bytesIn(): number {
    return this.#input.bytes;
  }

  get bytesOut(): number {
    return this.#output.bytes;
  }

  get rtt(): number | undefined {
    return this.#session.parts.liveness.rtt;
  }

  get silence(): number {
    return this.#session.parts.liveness.silence(this.host.ticker.now());
  }

  /** True if long messages wait for credit: another connection might help. */
  get crowded(): boolean {
    return this.#session.crowded;
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

  /** Resolves when `trySend` would return true; see `Session.whenWritable`. */
  writable(channel: number): Promise<void> {
    return this.#session.whenWritable(channel, this.endpoint);
  }

  /** Returns an error if the two ends share no usable protocol. */
  nothingShared(): TransportError | undefined {
    return this.#session.parts.channels.nothingShared();
  }

  /** Returns the protocols that both ends mount in incompatible ways; each one only once. */
  disagreements(): ReturnType<Session['parts']['channels']['disagreements']> {
    return this.#session.parts.channels.disagreements();
  }

  /** Notifies the peer that a protocol was mounted or unmounted here. */
  announce(): void {
    this.#session.announce();
  }

  /** Ends the calls of a protocol that closes. */
  endChannel(channel: number, error: TransportError): void {
    this.#session.endChannel(channel, error);
  }

  /** Lets the process end in spite of this connection, if it was dialed only to make calls. */
  ref(): void {
    if (this.direction === 'out' && this.isUp) this.#stream.ref?.(this.host.isServing);
  }

  // The end of the connection.

  /** Keeps the connection from being closed for idleness until the returned function is called. */
  hold(): () => void {
    return this.#session.hold();
  }

  /** Leaves gracefully; see `Session.leave`. */
  disconnect(reason: LeaveReason, text: string, told: string): void {
    this.#session.leave(reason, text, told);
  }

  /** Closes the connection because the transport closes. */
  shut(grace: number): void {
    this.#session.shut(grace);
  }

  /** Ends the connection immediately, with an error that both ends see. */
  break(error: TransportError): void {
    this.#session.break(error);
  }

  /** Resolves when the stream is closed. */
  whenGone(): Promise<void> {
    return this.#phase.name === 'gone'
      ? Promise.resolve()
      : new Promise((resolve) => this.#waiting.push(resolve));
  }

  // Time.

  /** Does everything that is due at `now`, then sets `due` to the next time. */
  wake(now: number): void {
    const { context } = this.#session.parts;
    // Reset first, because the work below may request an earlier time than it returns.
    context.wakesAt(Number.POSITIVE_INFINITY);
    this.#output.wake(now);
    this.#input.wake(now);
    // A connection that its own rate limit holds back is not stuck.
    if (this.#output.isHeldBack) this.#session.parts.heldBack(now);
    const next = this.#session.wake(now);
    context.wakesAt(Math.min(context.due, next, this.#output.due, this.#input.due));
  }

  /** The latest time at which the connection needs `wake`. */
  get due(): number {
    return this.#session.parts.context.due;
  }

  crowding(): void {
    this.host.crowding(this);
  }

  /** Accounts for `lateness` milliseconds during which this process was asleep. */
  excuse(lateness: number): void {
    this.#session.excuse(lateness);
  }

  // Reports of the stream, besides its data.

  drained(): void {
    this.#output.drained();
  }

  revoked(error: TransportError): void {
    this.host.ticker.run(() => this.#session.break(error));
  }

  /** Called by the stream, which will lose the connection soon; see `StreamSink.leave`. */
  leave(text: string): void {
    this.host.ticker.run(() => this.#session.leave('draining', text));
  }

  closed(error?: TransportError): void {
    this.#output.release();
    this.host.ticker.run((now) => {
      this.#input.finish(now);
      this.#session.closed(
        error === undefined ? undefined : withoutStack(error, { target: this.target }),
      );
    });
    this.#phase = GONE;
    this.host.gone(this);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Pauses reading until other connections have completed their handshakes. */
  park(): void {
    this.#input.park();
  }

  unpark(): void {
    this.#input.unpark();
  }

  // Reports of the session.

  drains(): void {
    this.host.drains(this);
  }

  greeted(hello: Hello): void {
    const { config, membership, ticker } = this.host;
    this.remote = new LiveRemote(this, this.#stream.nodeId, hello);
    this.#session.parts.context.meet(this.remote);
    const agree = (features: readonly string[]) => {
      if (this.direction === 'out') ticker.run(() => this.#session.consent({}));
      else
        this.#introduce((fields) => {
          ticker.run(() => this.#session.consent(fields, features));
          if (this.#phase.name === 'opening')
            this.#phase.slot?.answered?.((error) => this.#session.cut(error));
        });
    };
    const pending = { remote: this.remote, target: this.target, hello };
    askAdmit(config, membership, pending, agree, (error) => this.#session.break(error));
  }

  /** Gets the fields of the hello for this peer. */
  #introduce(then: (fields: Readonly<Record<string, string>>) => void): void {
    askHello(this.host.config, this.target, then, (error, cause) => {
      this.host.callbackFailed('hello', cause);
      this.#session.break(error);
    });
  }

  up(): void {
    const opened = this.#leaveOpening(UP, undefined);
    this.ref();
    this.host.up(this);
    opened?.(undefined);
  }

  /**
   * Enters the next phase, and frees the handshake slot if the connection was opening. Returns the
   * callback that still has to be called with the outcome.
   */
  #leaveOpening(next: Phase, error: TransportError | undefined): ConnectionInit['opened'] {
    const last = this.#phase;
    this.#phase = next;
    if (last.name !== 'opening') return undefined;
    last.slot?.leave(error);
    return last.opened;
  }

  leaving(waiting: OutCall[]): void {
    this.host.leaving(this, waiting);
  }

  abandoned(calls: InCall[]): void {
    this.host.aborts.add(calls);
  }

  down(error: TransportError, unsent: OutCall[]): void {
    const wasUp = this.#phase.name === 'up';
    this.#input.stop();
    const opened = this.#leaveOpening(OVER, error);
    this.host.down(this, error, { wasUp, unsent });
    opened?.(unreachable(error, this.target!));
  }

  protocolsChanged(announcement: Announcement | undefined): void {
    if (announcement !== undefined) {
      const remote = this.remote!;
      if (remote.move(announcement.addr)) this.host.membership?.moved?.(remote);
      this.host.membership?.remounted?.(remote, announcement.protocols);
    }
    this.host.protocolsChanged(this);
  }
}

const UP: Phase = Object.freeze({ name: 'up' });
const OVER: Phase = Object.freeze({ name: 'over' });
const GONE: Phase = Object.freeze({ name: 'gone' });

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
  const { config, memory, self, inboxes, random, ticker } = host;
  const { limits, keepAlive, idleTimeout, handshakeTimeout } = config;
  return {
    visitor: connection,
    writer: output.writer,
    port: output,
    preamble: output.preamble,
    count: (counter, amount) => host.count(counter, amount, connection.remote),
    side: direction === 'out' ? 'dialer' : 'acceptor',
    limits: stream.credit === undefined ? limits : withCredit(limits, stream.credit),
    memory,
    allocate,
    freeMemory: freeChunk,
    self,
    proven: stream.nodeId,
    observed: stream.endpoint.slice(0, OBSERVED),
    mounts: inboxes,
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
    return this.#connection.rtt;
  }

  get silence(): number {
    return this.#connection.silence;
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
