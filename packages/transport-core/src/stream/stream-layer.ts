// The narrow waist: what a backend author writes, and nothing else. Everything above it is built once.

import type { Clock } from '../clock.ts';
import type { TransportError } from '../errors.ts';
import type { Frame } from '../wire/frame.ts';
import type { Mailbox } from '../wire/mailbox.ts';

/** Ordered bytes between two ends, however they are carried. NetworkTransport turns any of these into a Transport. */
export interface StreamLayer {
  /**
   * Binds and accepts; resolves once it can be dialled, and rejects with a TransportError where it can't bind. Called again after
   * `failed`. Each connection is handed over once it is ready for `attach`, with its pass where the layer asked for one.
   * @param failed the listener broke and listens no more; it is listened again after a back-off (5 ms doubling to 1 s).
   * @param options what a layer heeds that has work to do before it hands a connection over (TLS, noise); others need none of it.
   */
  listen(accept: (connection: StreamConnection, pass?: Pass) => void, failed?: (error: TransportError) => void, options?: ListenOptions): Promise<void>;
  /**
   * Connects. Rejects with a TransportError: `dial_timeout` after `timeout` milliseconds, `connection_refused`, `host_not_found`,
   * `invalid_argument` for an address that it does not understand; with the signal's reason when that aborts first. A dial that
   * ends by time or signal leaves no socket behind, however late that opens. What the layer itself has to settle with the other end
   * (TLS, noise) is part of the dial and of its time.
   */
  dial(address: string, options: DialOptions): Promise<StreamConnection>;
  /**
   * Throws the `invalid_argument` with which `dial` would refuse this address before it tries it; peers and `advertiseAddr` are checked by
   * it when they are given. Left out: nothing is known of an address before it is dialled.
   */
  checkAddress?(address: string): void;
  /** The address that is bound (the real port after `:0`); before `listen` resolves it throws `failed_precondition`. */
  localAddr(): string;
  /** All addresses that are bound, of a layer that has several; the first is `localAddr()`. */
  localAddrs?(): string[];
  /** What others dial: what the user gave, verbatim, else `localAddr()`. */
  advertiseAddr(): string;
  /** The clock that the layer runs on, if it was given one: a layer around it takes the same. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** This end's own node id, of a layer that proves it to every peer (TLS, noise). */
  readonly nodeId?: string | undefined;
  /** Do connections to this address prove `nodeId`? Of a layer that proves it on some of them; left out: on all. */
  proves?(address: string): boolean;
  /** Stops listening, ends pending dials; connections that were handed over belong to whoever took them. Idempotent. */
  close(): Promise<void>;
}

export interface DialOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Whom the dialler means to reach: a layer that trusts by id trusts this one. That it is reached is checked above. */
  readonly nodeId?: string | undefined;
}

export interface ListenOptions {
  /** Milliseconds from a knock until the connection is handed over; the layer ends it then (`handshakeTimeout`). */
  readonly timeout: number;
  /** Asked before any work is done for a connection: limits.handshakes. */
  readonly doorway: Doorway;
}

/** Who may come in, one source and all together: so that strangers can't keep a machine busy with handshakes. */
export interface Doorway {
  /**
   * A connection from `endpoint` came. Undefined: there is no room, close it at once. Otherwise `enter` is called with the same
   * pass, now or when others have left; until then nothing is read of it.
   */
  knock(endpoint: string, enter: (pass: Pass) => void): Pass | undefined;
}

/** One connection's place in the doorway; whoever holds it leaves once, or hands it over with the connection. */
export interface Pass {
  /** When it knocked, on the transport's clock. */
  readonly since: number;
  /** Its place is free. With an error: the connection came to nothing, and the observer is told (`rejected`). */
  leave(error?: TransportError): void;
}

/** One connection. Everything on it is synchronous; what it reports comes after `attach`, in order. */
export interface StreamConnection {
  /** The other end as this layer names it ('127.0.0.1:50312'); for people and logs. */
  readonly endpoint: string;
  /** There where the layer itself proved it (TLS, noise). */
  readonly nodeId?: string | undefined;
  /** A value both ends share and nobody else knows, for proofs bound to this connection (TLS exporter, noise hash). */
  readonly binding?: Uint8Array | undefined;
  /** Set where the layer itself refuses the peer: the session answers with this and nothing else. */
  readonly refused?: TransportError | undefined;
  /**
   * Carries frames as they are instead of bytes: the direct in-memory transport. `write` and `data` are not used then, and the
   * batch that was sent belongs to the receiver. It brings the mailbox that collects them, so that only who uses it loads it.
   */
  readonly frames?: { readonly mailbox: Mailbox; send(batch: Frame[]): void } | undefined;
  /** It reads into the same memory again and again where its sink `copies`; of other sinks each chunk is their own. */
  readonly reuses?: boolean | undefined;
  /** Begins to report to `sink`. Called once, synchronously after the connection was handed over. */
  attach(sink: StreamSink): void;
  /**
   * True: the layer is done with the chunk, whose memory may be reused at once. False: it keeps the chunk until it calls
   * `drained()`, and nothing is written before that. Never throws; after the end it is true and drops.
   */
  write(chunk: Uint8Array): boolean;
  /** There where a connection writes several chunks at once without copying them: the same as one `write` of all. */
  readonly writeAll?: ((chunks: readonly Uint8Array[]) => boolean) | undefined;
  /** Asks for no more data, as soon as may be. */
  pause(): void;
  resume(): void;
  /** Flushes what was written, ends, then reads and discards until the other end has ended (1 s or 256 KiB at most). */
  close(): void;
  /** Ends at once. */
  destroy(error?: TransportError): void;
}

/** What a connection reports to. */
export interface StreamSink {
  /** What it keeps of a chunk it copies before `data` returns, whatever that says: the next chunk may come in the same memory. */
  readonly copies?: boolean | undefined;
  /**
   * Bytes that came, as a plain Uint8Array. True: the sink is done with the chunk, whose memory may be reused, or freed (`freeChunk`).
   * False, or nothing: parts of it may be kept, so nobody changes it any more.
   */
  data(chunk: Uint8Array): boolean | void;
  /** Frames that came, from a connection that carries them. */
  frames(batch: Frame[]): void;
  /** The chunk whose `write` was false is done. */
  drained(): void;
  /** The layer wants this peer no more (it was denied just now): the peer is told why, and cut. Without it the layer destroys. */
  revoked?(error: TransportError): void;
  /** It is over: without an error where the other end ended in order. Exactly once; nothing is reported after it. */
  closed(error?: TransportError): void;
}
