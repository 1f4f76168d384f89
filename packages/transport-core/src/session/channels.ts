// The channels of one connection by their byte, and the agreement of both ends on the protocol of
// each (docs/wire-protocol.md §3).
//
// Owns the channels (see `Channel`) and the peer's list of protocols. The session reports changes
// of the protocols.

import { TransportError, withDetails, withoutStack } from '../errors.ts';
import { List } from '../list.ts';
import { UNIT } from '../wire/frame.ts';
import {
  type Announcement,
  agree,
  decodeProtocols,
  encodeProtocols,
  type HelloProtocol,
  helloProtocol,
  nothingShared,
} from '../wire/hello.ts';
import type { Creditor } from './batch.ts';
import { InChannel, type Mounted } from './incoming-calls.ts';
import type { OutCall } from './out-call.ts';
import type { SessionContext } from './session-context.ts';

/**
 * One channel on one connection: its lanes, its account, and the calls in both directions. It
 * continues to exist when its protocol is unmounted.
 */
export class Channel extends InChannel {
  /**
   * The name of the first protocol mounted here; a channel byte keeps its name as long as the
   * connection exists.
   */
  name: string | undefined = undefined;
  /** The reason why the two ends can't speak the protocol; undefined if they can. */
  disagreement: TransportError | undefined = undefined;

  /** The number of our calls without a terminal frame. */
  open = 0;
  /** Our calls that wait for room, in order, except streaming ones; see `queueFor`. */
  readonly waiting = new List<OutCall>();
  readonly waitingLong = new List<OutCall>();
  /** Callers of `writable()` that wait until `trySend` would return true. */
  readonly #writers: { resolve(): void; reject(error: TransportError): void }[] = [];

  /**
   * Called with 1 when one of our calls is admitted, and with -1 when its terminal frame is read.
   */
  countCall(change: 1 | -1): void {
    this.open += change;
  }

  /**
   * Returns the queue in which our calls with a payload of this length wait. Long messages that are
   * not ordered with short ones have a queue of their own.
   */
  queueFor(length: number): List<OutCall> {
    return length > this.context.terms.packet && this.mounted?.protocol.ordered !== true
      ? this.waitingLong
      : this.waiting;
  }

  /** Returns true if there is credit for a one-way with this payload, and none waits before it. */
  canPay(length: number): boolean {
    return this.queueFor(length).length === 0 && this.lanes.hasCredit;
  }

  /** True if a one-way of at most one packet could be sent now. */
  get #isWritable(): boolean {
    const { limits, terms } = this.context;
    const { packet } = terms;
    return this.canPay(packet) && this.lanes.shorts.fits(packet + UNIT, limits.outbound);
  }

  /**
   * Resolves when there is room for a one-way; rejects if there never will be, or if too many
   * callers already wait for that.
   * @param endpoint of the peer, for errors.
   */
  whenWritable(endpoint: string): Promise<void> {
    const { disagreement } = this;
    if (disagreement !== undefined)
      return Promise.reject(withDetails(disagreement, { sent: false }));
    if (this.#isWritable) return Promise.resolve();
    const { length } = this.#writers;
    if (length >= this.context.limits.outbound.messages) {
      const message = `${length} calls already wait until ${endpoint} is writable (limits.outbound)`;
      const error = new TransportError('resource_exhausted', message, { target: endpoint });
      return Promise.reject(error);
    }
    this.context.port.dirty();
    return new Promise((resolve, reject) => this.#writers.push({ resolve, reject }));
  }

  /**
   * Settles all callers that wait for room. With `error`, each is rejected with its own copy;
   * otherwise they are resolved.
   */
  settleWriters(error: TransportError | undefined): void {
    for (const writer of this.#writers.splice(0))
      if (error === undefined) writer.resolve();
      else writer.reject(withoutStack(error, { sent: false }));
  }

  /**
   * Settles the callers of `writable()` if a one-way can be sent, and dispatches calls again if
   * there is room for their replies.
   */
  settleIfRoom(): void {
    const { disagreement } = this;
    if (this.#writers.length > 0 && (disagreement !== undefined || this.#isWritable))
      this.settleWriters(disagreement);
    if (!this.stalled || this.lanes.congested(this.context.limits.outbound)) return;
    this.stalled = false;
    this.mounted?.feedAll();
  }

  // The protocol.

  /**
   * Mounts a protocol; undefined unmounts it.
   * @param theirs the protocols of the peer.
   */
  mount(mounted: Mounted | undefined, theirs: readonly HelloProtocol[]): void {
    if (this.mounted === mounted) return;
    this.mounted = mounted;
    this.disagreement = undefined;
    if (mounted === undefined) return;
    this.lanes.prioritize(mounted.protocol.priority);
    this.name ??= mounted.protocol.name;
    this.agree(theirs);
  }

  /** Determines the version of the mounted protocol, or the reason why the ends can't speak it. */
  agree(theirs: readonly HelloProtocol[]): void {
    if (this.mounted === undefined) return;
    const { protocol } = this.mounted;
    const text = `channel ${this.byte} was '${this.name}' on this connection before it was '${protocol.name}'; a channel keeps its protocol while the connection is open`;
    const agreed =
      this.name === protocol.name
        ? agree(protocol, theirs)
        : new TransportError('failed_precondition', text);
    this.disagreement = typeof agreed === 'number' ? undefined : agreed;
    if (typeof agreed === 'number') this.version = agreed;
  }
}

/** All channels of one connection. */
export class Channels {
  /** The peer's protocols as it last announced them. */
  theirs: readonly HelloProtocol[] = [];
  /**
   * Our protocols whose disagreement was reported; there are at most as many as were ever mounted.
   */
  #told: readonly string[] = NONE;
  /** All channels that were used. */
  all: readonly Channel[] = [];
  /**
   * The channel that was requested last. Every frame looks up its channel, some of them six times.
   */
  #last: Channel | undefined = undefined;
  readonly #context: SessionContext;
  readonly #creditor: Creditor;
  readonly #mounts: ReadonlyMap<number, Mounted>;

  constructor(context: SessionContext, creditor: Creditor, mounts: ReadonlyMap<number, Mounted>) {
    this.#context = context;
    this.#creditor = creditor;
    this.#mounts = mounts;
  }

  /**
   * Returns the channel for a channel byte. It is created on first use, which must come after the
   * peer's HELLO has settled its credit, and exists as long as the connection.
   */
  get(byte: number): Channel {
    const last = this.#last;
    return last !== undefined && last.byte === byte ? last : this.#find(byte);
  }

  /**
   * Returns the channel that a peer names if a protocol is or was mounted on it. `number` is as the
   * peer wrote it, so it may be above 255. Numbers that the peer makes up cost no memory.
   */
  known(number: number): Channel | undefined {
    const last = this.#last;
    if (last !== undefined && last.byte === number) return last;
    return this.#mounts.has(number) ? this.#find(number) : this.used(number);
  }

  #find(byte: number): Channel {
    let channel = this.used(byte);
    if (channel === undefined) {
      channel = new Channel(this.#context, this.#creditor, byte);
      // Most connections have one or two channels, so the array is copied to exactly the size it
      // needs.
      this.all = [...this.all, channel];
      channel.mount(this.#mounts.get(byte), this.theirs);
    }
    this.#last = channel;
    return channel;
  }

  /** Returns the channel of a byte if it was used. */
  used(byte: number): Channel | undefined {
    for (const channel of this.all) if (channel.byte === byte) return channel;
    return undefined;
  }

  /** Stores the protocols of the peer's HELLO. No channel exists yet. */
  met(theirs: readonly HelloProtocol[]): void {
    this.theirs = theirs;
  }

  /** Applies a change to our own protocols. */
  remount(): void {
    for (const channel of this.all) channel.mount(this.#mounts.get(channel.byte), this.theirs);
  }

  /**
   * Applies a change to the peer's protocols; returns a description of the mistake if the list is
   * malformed.
   */
  learn(list: Uint8Array): Announcement | string {
    const announcement = decodeProtocols(list);
    if (typeof announcement === 'string') return announcement;
    this.theirs = announcement.protocols;
    for (const channel of this.all) channel.agree(this.theirs);
    return announcement;
  }

  // The protocols of both ends.

  /** Encodes our list and our address, to be sent to the peer. */
  announcement(addr: string): Uint8Array {
    const protocols = Array.from(this.#mounts.values(), ({ protocol }) => helloProtocol(protocol));
    return encodeProtocols({ protocols, addr });
  }

  /**
   * Returns the protocols that both ends have mounted but in incompatible ways. Each one is
   * returned only once.
   */
  disagreements(): { readonly protocol: string; readonly error: TransportError }[] {
    const found: { protocol: string; error: TransportError }[] = [];
    for (const { protocol } of this.#mounts.values()) {
      const agreed = agree(protocol, this.theirs);
      if (!(agreed instanceof TransportError) || this.#told.includes(protocol.name)) continue;
      this.#told = [...this.#told, protocol.name];
      found.push({ protocol: protocol.name, error: agreed });
    }
    return found;
  }

  /** Returns an error if no protocol is shared with the peer; see `nothingShared`. */
  nothingShared(): TransportError | undefined {
    const own = Array.from(this.#mounts.values(), ({ protocol }) => protocol);
    return nothingShared(own, this.theirs);
  }
}

/** Shared, because most connections have nothing to report. */
const NONE: readonly string[] = [];
