// The channels of one connection by their byte, and the agreement of both ends on the protocol of
// each (docs/wire-protocol.md §3).

import { reasonError, TransportError } from '../errors.ts';
import { Account, type FrameWriter } from '../wire/frame.ts';
import { decodeProtocols, encodeProtocols, type HelloProtocol } from '../wire/hello.ts';
import { Channel, type Mounted } from './channel.ts';
import { agree, helloProtocol } from './handshake.ts';
import { Lanes } from './outgoing.ts';
import { type Creditor, ReceiveAccount } from './receive-account.ts';
import type { SessionContext } from './session-context.ts';

/** Receives changes of the protocols of a connection. */
export interface ProtocolsVisitor {
  /** The peer has mounted or unmounted protocols; `protocols` is its new list. */
  remounted?(protocols: readonly HelloProtocol[]): void;
  /** The protocols of one end have changed. */
  protocolsChanged?(): void;
}

export class Channels {
  #opened: readonly Channel[] = [];
  /**
   * The channel that was requested last. Every frame looks up its channel, some of them six times.
   */
  #last: Channel | undefined = undefined;
  #watched: Channel[] = [];
  /**
   * Accounts of channels that have no protocol mounted, by account and byte; each has credit to
   * give back.
   */
  #strays: Map<number, ReceiveAccount> | undefined = undefined;
  #nowhere: Lanes | undefined = undefined;
  readonly #context: SessionContext;
  readonly #creditor: Creditor;
  readonly #mounts: ReadonlyMap<number, Mounted>;
  readonly #visitor: ProtocolsVisitor;
  /** The peer's protocols as it last announced them. */
  #theirs: readonly HelloProtocol[] = [];
  /** Our protocols whose disagreement was reported; at most as many as were ever mounted. */
  #told: readonly string[] = NONE;

  constructor(
    context: SessionContext,
    creditor: Creditor,
    mounts: ReadonlyMap<number, Mounted>,
    visitor: ProtocolsVisitor = {},
  ) {
    this.#visitor = visitor;
    this.#context = context;
    this.#creditor = creditor;
    this.#mounts = mounts;
  }

  /**
   * Returns the channel for a channel byte. It is created at its first use and lives as long as the
   * connection.
   */
  get(byte: number): Channel {
    const last = this.#last;
    return last !== undefined && last.byte === byte ? last : this.#find(byte);
  }

  /**
   * Returns the channel that a peer names if a protocol is or was mounted on it. Numbers that the
   * peer makes up therefore cost no memory.
   */
  known(number: number): Channel | undefined {
    const last = this.#last;
    if (last !== undefined && last.byte === number) return last;
    return this.#mounts.has(number) ? this.#find(number) : this.used(number);
  }

  /**
   * Returns an account that gives back the credit of messages for a channel without a protocol. It
   * is forgotten once the credit is paid back. Numbers above 255 have no account: nothing is given
   * back on them.
   */
  stray(account: number, number: number): ReceiveAccount {
    const { short, long } = this.#context.limits.credit;
    const key = account * BYTES + number;
    let stray = this.#strays?.get(key);
    if (stray !== undefined) return stray;
    stray = new Stray(
      this.#creditor,
      account,
      account === Account.SHORT ? short : long,
      number,
      () => this.#strays!.delete(key),
    );
    if (number >= BYTES) stray.end();
    else {
      this.#strays ??= new Map();
      this.#strays.set(key, stray);
    }
    return stray;
  }

  /** The lanes for refusals that belong to no channel. */
  get nowhere(): Lanes {
    this.#nowhere ??= new Lanes(0, 10, 0, 0);
    return this.#nowhere;
  }

  /** Returns all lanes in which something may wait. */
  lanes(): Lanes[] {
    const lanes = this.#opened.map((channel) => channel.lanes);
    return this.#nowhere === undefined ? lanes : [...lanes, this.#nowhere];
  }

  #find(byte: number): Channel {
    let channel = this.used(byte);
    if (channel === undefined) {
      channel = new Channel(this.#context, this.#creditor, byte);
      // Most connections have one or two channels, so the array is copied to exactly the size it
      // needs.
      this.#opened = [...this.#opened, channel];
      this.#join(channel);
    }
    this.#last = channel;
    return channel;
  }

  /** Returns the channel of a byte if it was used. */
  used(byte: number): Channel | undefined {
    for (const channel of this.#opened) if (channel.byte === byte) return channel;
    return undefined;
  }

  /** Returns all channels that were used. */
  all(): readonly Channel[] {
    return this.#opened;
  }

  /** Stores the protocols of the peer's HELLO. */
  met(theirs: readonly HelloProtocol[]): void {
    this.#theirs = theirs;
  }

  /** Applies a change of our own protocols; returns the encoded list to send to the peer. */
  remount(): Uint8Array {
    for (const channel of this.#opened) this.#join(channel);
    this.#visitor.protocolsChanged?.();
    return encodeProtocols(
      [...this.#mounts.values()].map((mounted) => helloProtocol(mounted.protocol)),
    );
  }

  /** Applies a change of the peer's protocols; returns a text if the list is malformed. */
  learn(list: Uint8Array): string | undefined {
    const protocols = decodeProtocols(list);
    if (typeof protocols === 'string') return protocols;
    this.#theirs = protocols;
    for (const channel of this.#opened)
      if (channel.mounted !== undefined) this.#agree(channel, channel.mounted);
    this.#visitor.remounted?.(protocols);
    this.#visitor.protocolsChanged?.();
    return undefined;
  }

  /** Gives back all credit that the channels hold back. */
  payHeld(): void {
    for (const { short, long } of this.#opened) {
      short.pay();
      long.pay();
    }
  }

  /**
   * Returns the protocols that both ends have mounted but in incompatible ways. Each one is
   * returned only once.
   */
  disagreements(): { readonly protocol: string; readonly error: TransportError }[] {
    const found: { protocol: string; error: TransportError }[] = [];
    for (const { protocol } of this.#mounts.values()) {
      const agreed = agree(protocol, this.#theirs);
      if (!(agreed instanceof TransportError) || this.#told.includes(protocol.name)) continue;
      this.#told = [...this.#told, protocol.name];
      found.push({ protocol: protocol.name, error: agreed });
    }
    return found;
  }

  /**
   * Returns an error if no protocol mounted here can be spoken with the peer. Returns undefined if
   * one can, or if the peer has not announced any protocol yet.
   */
  nothingShared(): TransportError | undefined {
    let why: TransportError | undefined;
    const [own, theirs] = [
      [...this.#mounts.values()].map(({ protocol }) => protocol),
      this.#theirs,
    ];
    if (theirs.length === 0) return undefined;
    for (const protocol of own) {
      const agreed = agree(protocol, theirs);
      if (agreed instanceof TransportError) why ??= agreed;
      else if (theirs.some(({ name }) => name === protocol.name)) return undefined;
    }
    const names = (list: readonly { readonly name: string }[]) =>
      list.map(({ name }) => `'${name}'`).join(', ');
    return (
      why ??
      reasonError(
        'no_shared_protocol',
        `one end has mounted ${names(own)}, the other ${names(theirs)}: they share no protocol`,
      )
    );
  }

  /** Watches a channel until its waiting writers and its replies have room. */
  watch(channel: Channel): void {
    this.#keepWatching(channel);
    this.#context.port.dirty();
  }

  #keepWatching(channel: Channel): void {
    if (!this.#watched.includes(channel)) this.#watched.push(channel);
  }

  /** Dispatches no calls of a channel until its replies have drained. */
  stall(byte: number): void {
    const channel = this.get(byte);
    channel.stalled = true;
    this.watch(channel);
  }

  /**
   * Checks the watched channels: settles waiting writers and resumes dispatching if there is room.
   * @param writable returns true if a one-way could go now.
   * @param room called when the replies of a channel have drained, so its calls may be dispatched
   *   again.
   */
  look(writable: (channel: Channel) => boolean, room: (channel: Channel) => void): void {
    if (this.#watched.length === 0) return;
    const watched = this.#watched;
    this.#watched = [];
    for (const channel of watched) {
      const { disagreement } = channel;
      if (channel.writers.length > 0 && (disagreement !== undefined || writable(channel))) {
        for (const writer of channel.writers.splice(0))
          disagreement === undefined ? writer.resolve() : writer.reject(disagreement);
      }
      if (channel.stalled && !channel.lanes.congested(this.#context.limits.outbound)) {
        channel.stalled = false;
        room(channel);
      }
      if (channel.writers.length > 0 || channel.stalled) this.#keepWatching(channel);
    }
  }

  /** Rejects all writers that wait for room, because nothing more is opened here. */
  rejectWriters(error: TransportError): void {
    for (const channel of this.#opened)
      for (const writer of channel.writers.splice(0)) writer.reject(error);
  }

  #join(channel: Channel): void {
    const mounted = this.#mounts.get(channel.byte);
    if (channel.mounted === mounted) return;
    channel.mounted = mounted;
    channel.disagreement = undefined;
    if (mounted === undefined) return;
    channel.lanes.priority = mounted.protocol.priority;
    channel.name ??= mounted.protocol.name;
    this.#agree(channel, mounted);
  }

  #agree(channel: Channel, { protocol }: Mounted): void {
    if (channel.name !== protocol.name) {
      const message = `channel ${channel.byte} was '${channel.name}' on this connection before it was '${protocol.name}'; a channel keeps its protocol while the connection is open`;
      channel.disagreement = new TransportError('failed_precondition', message);
      return;
    }
    const agreed = agree(protocol, this.#theirs);
    channel.disagreement = agreed instanceof TransportError ? agreed : undefined;
    if (typeof agreed === 'number') channel.version = agreed;
  }
}

/** An account that is forgotten once everything is paid back. */
class Stray extends ReceiveAccount {
  readonly #paid: () => void;

  constructor(
    creditor: Creditor,
    account: number,
    start: number,
    channel: number,
    paid: () => void,
  ) {
    super(creditor, account, start, 0, channel);
    this.#paid = paid;
  }

  override write(writer: FrameWriter): void {
    super.write(writer);
    this.#paid();
  }
}

/** The number of channel bytes. */
const BYTES = 0x100;

/** Shared, because most connections have nothing to report. */
const NONE: readonly string[] = [];
