// The interface that a backend author implements. Everything above it is shared by all backends.
// Below are PendingDials, which our layers use for their dials (except RelayLayer of signaling, and
// those around other layers), and the translation of socket errors. The suite in
// transport-testkit/src/stream-layer tests listening, addresses, dials, bytes, back-pressure and
// ends; of the optional members, it tests only `writeAll`, `ref` and `copies`. Node ids, bindings,
// refusals and `revoked` are tested in transport-testkit/src/identity, HandshakeLimiter in
// bounded-handshakes.test.ts, and the other optional members only by the backends that have them.
// pending-dials.test.ts and socket-error.test.ts test what is below.

import type { Clock } from '../clock.ts';
import type { LimitOptions } from '../common-options.ts';
import {
  ERROR_REASONS,
  type ErrorCode,
  type ErrorReason,
  reasonError,
  TransportError,
} from '../errors.ts';
import { inMs } from '../text.ts';
import type { FrameCollector } from '../wire/encoder.ts';
import type { Frame } from '../wire/frame.ts';

/**
 * Carries ordered bytes between two ends, by any means. NetworkTransport turns a StreamLayer into a
 * Transport.
 */
export interface StreamLayer {
  /**
   * Binds and accepts connections. Resolves once peers can dial it; rejects with a TransportError
   * if it can't bind. It may be called again after `failed` and after `close`. Each connection is
   * passed to `accept` once it is ready for `attach`, with its handshake slot if the layer acquired
   * one. While it listens, another call rejects with `failed_precondition`.
   *
   * @param failed reports that the listener failed and has stopped; the transport calls `listen`
   * again after a back-off (5 ms, doubling up to 1 s).
   * @param options for layers that have work to do before they hand over a connection (TLS, noise);
   * others can ignore it.
   */
  listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void>;
  /**
   * Accepts no more connections. The layer's own handshakes that are already in progress continue,
   * and so do pending dials; `close` is called later. Without this method, `close` is called
   * instead, which ends those handshakes and dials.
   */
  stopListening?(): void;
  /**
   * Connects. Rejects with a TransportError: `dial_timeout` after `timeout` milliseconds,
   * `connection_refused`, `host_not_found`, or `invalid_argument` for an address that the layer
   * does not understand. If the signal aborts first, it rejects with the signal's reason. A dial
   * that was ended by a timeout or a signal leaves no socket behind, even if the socket opens
   * later. A handshake of the layer itself (TLS, noise) is part of the dial and of its timeout.
   */
  dial(address: string, options: DialOptions): Promise<StreamConnection>;
  /**
   * Throws the `invalid_argument` error with which `dial` would refuse this address before any
   * attempt. The addresses of peers and `advertiseAddr` are checked with this method when they are
   * configured. Without this method, addresses are checked only when they are dialed.
   */
  checkAddress?(address: string): void;
  /**
   * Returns the bound address (with the real port instead of `:0`); throws `failed_precondition`
   * before `listen` has resolved and after `close`, and may do so after the listener has failed.
   */
  localAddr(): string;
  /**
   * Returns all bound addresses, for a layer that has several; the first is `localAddr()`. Throws
   * as that does.
   */
  localAddrs?(): string[];
  /**
   * Returns the address that others dial: the address that the user gave, verbatim, or
   * `localAddr()`, which may throw.
   */
  advertiseAddr(): string;
  /**
   * The clock of the layer, if it was given one; a layer around it uses the same clock. Default:
   * the machine's.
   */
  readonly clock?: Clock | undefined;
  /** This end's own node id, for a layer that proves it to every peer (TLS, noise). */
  readonly nodeId?: string | undefined;
  /**
   * The certificate that this end presents, for a layer with TLS: its common name, unless it is the
   * node id, and the time at which the first certificate of its chain expires, in milliseconds
   * since 1970.
   */
  readonly certificate?: { readonly name: string | undefined; readonly end: number } | undefined;
  /**
   * Returns true if connections to this address prove `nodeId`. Implement it if only some of the
   * layer's connections prove the id; without this method, all of them do.
   */
  proves?(address: string): boolean;
  /**
   * The network of this machine, for a layer that dials host names: `addresses` returns the IP
   * addresses of its interfaces, and `lookup` those of a host name, or rejects. Peers then look up
   * a name that another node reported, and pass the addresses that may be dialed in
   * `DialOptions.addresses`. A layer around another layer returns that of the inner one. Without
   * it, as in a browser, peers dial no reported host name, except over 'wss'.
   */
  readonly machine?:
    | {
        addresses(): readonly string[];
        lookup(host: string): Promise<readonly string[]>;
      }
    | undefined;
  /**
   * Stops listening and ends pending dials. A pending `listen` may resolve or reject, but leaves
   * nothing bound. Connections that were handed over belong to their receiver. Idempotent.
   */
  close(): Promise<void>;
}

/** Options of one dial. */
export interface DialOptions {
  /** The time the dial may take, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * The node that the caller wants to reach. A layer that bases trust on node ids trusts this node.
   * The transport checks that the peer is this node.
   */
  readonly nodeId?: string | undefined;
  /**
   * The IP addresses to dial, in this order, instead of looking up the host name in the address.
   * TLS still sends and checks the name. Only a membership sets it (`Membership.addressesOf`): that
   * of `@trunkline/peers` does so if the transport's layer has a `machine`.
   */
  readonly addresses?: readonly string[] | undefined;
}

/** Options of `listen`. */
export interface ListenOptions {
  /**
   * The time limit, in milliseconds, from `acquire` until the connection is handed over
   * (`handshakeTimeout`). When it expires, the layer closes the connection.
   */
  readonly timeout: number;
  /** The limiter to ask before any work is done for a connection (limits.handshakes). */
  readonly handshakes: HandshakeLimiter;
  /**
   * Returns why `first`, the first bytes of a dialer, is refused; undefined if it contains the
   * whole first message that the caller of `listen` expects. A layer that has these bytes before it
   * accepts the connection (NATS) then refuses the dial, which takes no handshake slot. A layer
   * around another one that changes the bytes passes a function of its own, or none.
   */
  readonly screen?:
    | ((
        first: Uint8Array,
      ) => { readonly reason: ErrorReason; readonly message: string } | undefined)
    | undefined;
}

/**
 * Limits the number of handshakes at a time, in total and from one source, so that strangers can't
 * keep a machine busy with them.
 */
export interface HandshakeLimiter {
  /**
   * Announces a connection from `endpoint`. Returns undefined if there is no room; then close the
   * connection immediately. Otherwise `enter` is called with the same slot, before `acquire`
   * returns or when another handshake frees its place; do not read from the connection before that.
   * If the connection ends first, `leave` cancels the wait.
   *
   * @param source the source that it counts for, if the layer knows a better one than the
   * endpoint's. Of the connections that have one and wait, those whose source has fewest come
   * first.
   */
  acquire(
    endpoint: string,
    enter: (slot: HandshakeSlot) => void,
    source?: string,
  ): HandshakeSlot | undefined;
}

/**
 * A connection's handshake slot. Its holder calls `leave` once or hands the slot over with
 * the connection.
 */
export interface HandshakeSlot {
  /** The time at which it was acquired, on the transport's clock. */
  readonly since: number;
  /**
   * Reports that this end has answered a whole first message, so that only the dialer's
   * confirmation is missing. The connection then holds no place of `limits.handshakes.pending`
   * anymore. Of all these connections the limiter may end the oldest with `end`, if there are too
   * many. A later call replaces `end`.
   */
  answered?(end: (error: TransportError) => void): void;
  /**
   * Frees the place. An error means that the connection failed; it is reported to the observer
   * (`rejected`).
   */
  leave(error?: TransportError): void;
}

/**
 * One connection. All its methods are synchronous. It reports events only after `attach`, in order.
 */
export interface StreamConnection {
  /** The peer's address as this layer names it ('127.0.0.1:50312'); for people and logs. */
  readonly endpoint: string;
  /** The peer's node id; set if the layer itself proved it (TLS, noise). */
  readonly nodeId?: string | undefined;
  /**
   * A secret value that only the two ends share, for proofs bound to this connection (TLS exporter,
   * noise hash).
   */
  readonly binding?: Uint8Array | undefined;
  /** Set if the layer itself refuses the peer: the session sends this error and nothing else. */
  readonly refused?: TransportError | undefined;
  /**
   * An object of the layer's own, which `attachmentOf` returns for the connection's Remote. A layer
   * around another one passes it on.
   */
  readonly attachment?: object | undefined;
  /**
   * Set by the direct in-memory transport, which carries frames as objects instead of bytes.
   * `write` and `data` are not used then, and a sent batch belongs to the receiver. The connection
   * provides the object that collects frames, so that bundlers leave its code out of pages that
   * don't use it.
   */
  readonly frames?: { readonly collector: FrameCollector; send(batch: Frame[]): void } | undefined;
  /**
   * True if the connection reads into the same memory again and again when its sink `copies`.
   * Otherwise the sink owns each chunk.
   */
  readonly reuses?: boolean | undefined;
  /**
   * The credit that this connection begins with and grows to, as in `limits.credit`.
   * `createTransport` sets it if the backend asks for it; see `Backend`.
   */
  credit?: LimitOptions['credit'];
  /**
   * Starts reporting to `sink`, but reports nothing inside this call. Called once, unless the
   * connection is destroyed instead: during `accept`, or in the turn of the event loop in which
   * `dial` resolves.
   */
  attach(sink: StreamSink): void;
  /**
   * Writes a chunk. True means that the layer is done with the chunk, whose memory may be reused
   * immediately. False means that the layer keeps the chunk until it calls `drained()`; nothing is
   * written before that. Never throws; after the end, it drops the chunk and returns true.
   */
  write(chunk: Uint8Array): boolean;
  /**
   * Writes several chunks together without copying them, with the same effect as one `write` of all
   * of them. Optional.
   */
  readonly writeAll?: ((chunks: readonly Uint8Array[]) => boolean) | undefined;
  /**
   * Stops reading data as soon as possible; data that was read already may still be reported. May
   * be called again before `resume`.
   */
  pause(): void;
  /** Reads again, however often `pause` was called. Reports nothing inside this call. */
  resume(): void;
  /**
   * Flushes written data and ends, then reads and discards data until the peer has ended (for at
   * most 1 s or 256 KiB). `closed` follows, but never inside this call.
   */
  close(): void;
  /**
   * Says whether the connection keeps the process alive while it is open; at first, it does. May be
   * called at any time. A layer lacks it if its connections never keep the process alive, as in
   * memory, or if its library always does. See docs/writing-a-transport.md.
   */
  readonly ref?: ((on: boolean) => void) | undefined;
  /** Ends immediately, without flushing. `closed` follows, but never inside this call. */
  destroy(error?: TransportError): void;
}

/** Receives the reports of a connection. */
export interface StreamSink {
  /**
   * True if, before `data` returns, the sink copies the data that it keeps, regardless of the
   * result: the next chunk may then arrive in the same memory.
   */
  readonly copies?: boolean | undefined;
  /**
   * Receives bytes as a plain Uint8Array. A result of true means that the sink is done with the
   * chunk, whose memory may be reused or freed (`freeChunk` of the entry `/backend`). False or
   * undefined means that the sink may keep parts of the chunk, so its memory must not be changed
   * anymore. A layer whose connections carry messages also passes empty ones, which count toward a
   * flood (docs/wire-protocol.md §9).
   */
  data(chunk: Uint8Array): boolean | void;
  /** Receives frames, from a connection that carries them. */
  frames(batch: Frame[]): void;
  /** Reports that the layer is done with the chunk whose `write` returned false. */
  drained(): void;
  /**
   * Reports that the layer has just denied this peer: the sink sends the reason to the peer and
   * disconnects it. Without this method, the layer destroys the connection.
   */
  revoked?(error: TransportError): void;
  /**
   * Reports that the layer will lose the connection soon, for example because a server that carries
   * it shuts down; `text` says why, for both ends. The sink opens no more calls on it, and closes
   * it when its calls have ended. During the hello, the transport's sink remembers this, and leaves
   * once the connection is up. But the sink of a layer around this one (noise) ignores it during
   * its own handshake, so the layer repeats it until the connection ends. Optional.
   */
  leave?(text: string): void;
  /**
   * Reports the end of the connection, without an error if the peer ended it gracefully. Called
   * exactly once; nothing is reported after it.
   */
  closed(error?: TransportError): void;
}

// The dials of one layer that are under way. A dial fails after its timeout, when its caller's
// signal aborts, and when the layer closes.

/**
 * One dial in progress. Only the first call of `connected` or `failed` has an effect: a connection
 * that comes after the dial has failed is not closed here.
 */
export interface PendingDial {
  connected(connection: StreamConnection): void;
  failed(error: unknown): void;
  /** Returns true if the dial is still pending: not aborted, timed out or otherwise settled. */
  wanted(): boolean;
}

/** Owns the pending dials of one layer, and settles their promises. */
export class PendingDials {
  readonly #clock: Clock;
  readonly #pending = new Set<PendingDial>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Returns the promise of a dial, which `begin` starts unless the signal has already aborted.
   *
   * @param begin may throw, but must then have released what it has opened. It returns a function
   * that releases everything, which is called with the error if the dial fails, also if it has
   * failed while `begin` ran.
   * @param late returns what the error of a timeout says. `limit` is 'within 5000 ms
   * (dialTimeout)'.
   */
  open(
    address: string,
    options: DialOptions,
    begin: (dial: PendingDial) => ((error: unknown) => void) | undefined,
    late = (limit: string) => `no answer ${limit}`,
  ): Promise<StreamConnection> {
    const { timeout, signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let release: ((error: unknown) => void) | undefined;
      let failure: { readonly error: unknown } | undefined;
      const settles = () => {
        this.#clock.clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        return this.#pending.delete(dial);
      };
      const dial: PendingDial = {
        connected: (connection) => {
          if (settles()) resolve(connection);
        },
        failed: (error) => {
          if (!settles()) return;
          failure = { error };
          reject(error);
          release?.(error);
        },
        wanted: () => this.#pending.has(dial),
      };
      const onAbort = () => dial.failed(signal?.reason);
      const timer = this.#clock.setTimeout(() => {
        const text = late(`within ${inMs(timeout)} (dialTimeout)`);
        const message = `Cannot connect to ${address}: ${text}`;
        dial.failed(reasonError('dial_timeout', message, { target: address }));
      }, timeout);
      this.#pending.add(dial);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        release = begin(dial);
        // It may have failed before there was anything to call.
        if (failure !== undefined) release?.(failure.error);
      } catch (error) {
        dial.failed(error);
      }
    });
  }

  /** Fails all pending dials, because the layer is closed. */
  close(): void {
    for (const dial of [...this.#pending])
      dial.failed(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
  }
}

// Translates the error codes of operating systems: the one table for all layers on sockets.

/** The action that failed: the same code has a different meaning and remedy for each action. */
export type SocketAction = 'dial' | 'listen' | 'accept' | 'connection';

/**
 * Converts a socket error (`code: 'ECONNREFUSED'` …) into a TransportError that names the address
 * and a remedy. The original is its `cause`.
 */
export function socketError(error: unknown, action: SocketAction, address: string): TransportError {
  const code = codeOfError(error);
  const meaning =
    meaningOf(`${action} ${code}`) ?? meaningOf(`${code}`) ?? 'unavailable: it failed';
  const kind = meaning.slice(0, meaning.indexOf(':'));
  const text = meaning.slice(kind.length + 2);
  const message = `${SUBJECTS[action]} ${address}: ${text} (${code ?? String(error)})`;
  const options = { target: address, cause: error };
  return kind in ERROR_REASONS
    ? reasonError(kind as ErrorReason, message, options)
    : new TransportError(kind as ErrorCode, message, options);
}

/** The reason of an error, or its code if it has no reason, and its text. */
type Meaning = `${ErrorReason | ErrorCode}: ${string}`;

function meaningOf(code: string): Meaning | undefined {
  return Object.entries(MEANINGS).find(([codes]) => codes.split(', ').includes(code))?.[1];
}

/** The meanings of codes. An entry for an action and a code replaces the entry for the code. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED:
    'connection_refused: nothing listens on this address; check that the peer is running and the port is right',
  'ENOTFOUND, EAI_NONAME, EAI_NODATA, EAI_AGAIN, EAI_FAIL':
    'host_not_found: the host name has no address; check its spelling and the name server',
  // Only of a listener: a dial asks for no particular local port.
  EADDRINUSE:
    'address_in_use: another process listens on this address; stop it, or bind another port (0 picks a free one)',
  EADDRNOTAVAIL: 'unavailable: no local address or port is free for the connection',
  'listen EADDRNOTAVAIL':
    'invalid_argument: this machine has no such address; bind one of its own, or 0.0.0.0 with an advertiseAddr',
  'EACCES, EPERM': 'unavailable: a firewall or a route of this machine forbids it; check them',
  'listen EACCES, listen EPERM':
    'permission_denied: this user may not bind this port; choose one above 1023',
  'EMFILE, ENFILE, ENOBUFS, ENOMEM':
    'resource_exhausted: the process or the system has no file descriptor or memory left for a socket; raise the limit (ulimit -n)',
  'EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN':
    'unavailable: no network route leads to this address',
  ETIMEDOUT: 'reset: the other end no longer answers',
  'dial ETIMEDOUT': 'dial_timeout: no answer',
  'ECONNRESET, EPIPE, ECONNABORTED': 'reset: the other end reset the connection',
  'EINVAL, EAFNOSUPPORT':
    'unavailable: the system cannot use this address; IPv6 may be turned off, or if the address is link-local, its zone (%eth0) is not an interface of this machine',
  'listen EINVAL, listen EAFNOSUPPORT':
    'invalid_argument: the system does not support this address',
  'listen ENOTSUP': 'invalid_argument: this system cannot share a port; use reusePort: false',
};

/**
 * Returns Node's error code. If several attempts were made for one name (an AggregateError),
 * returns the first code found.
 */
function codeOfError(error: unknown): string | undefined {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  return Array.isArray(errors)
    ? errors.map(codeOfError).find((each) => each !== undefined)
    : undefined;
}

const SUBJECTS: Record<SocketAction, string> = {
  dial: 'Cannot connect to',
  listen: 'Cannot listen on',
  accept: 'Cannot accept on',
  connection: 'Connection with',
};
