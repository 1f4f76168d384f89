// The channels of one connection by their byte, and what both ends agree to speak on each (docs/wire-protocol.md §3).

import { reasonError, TransportError } from '../errors.ts';
import { Account, type FrameWriter } from '../wire/frame.ts';
import { decodeProtocols, encodeProtocols, type HelloProtocol } from '../wire/hello.ts';
import { Channel, type Mounted } from './channel.ts';
import { agree, helloProtocol } from './handshake.ts';
import type { Link } from './link.ts';
import { Lanes } from './outgoing.ts';
import { type Creditor, Receiving } from './receiving.ts';

/** Told of the protocols of a connection. */
export interface ProtocolsVisitor {
  /** The peer has mounted or unmounted protocols: this is its list now. */
  remounted?(protocols: readonly HelloProtocol[]): void;
  /** The protocols of one end have changed. */
  protocolsChanged?(): void;
}

export class Channels {
  #opened: readonly Channel[] = [];
  /** The one that was asked for last: every frame asks, some of them six times. */
  #last: Channel | undefined = undefined;
  #watched: Channel[] = [];
  /** What is owed on channels that nothing is mounted on, by account and byte. */
  #strays: Map<number, Receiving> | undefined = undefined;
  #nowhere: Lanes | undefined = undefined;
  readonly #link: Link;
  readonly #creditor: Creditor;
  readonly #mounts: ReadonlyMap<number, Mounted>;
  readonly #visitor: ProtocolsVisitor;
  /** The peer's protocols, as it last told them. */
  #theirs: readonly HelloProtocol[] = [];
  /** Our protocols whose disagreement was reported: at most those that were ever mounted. */
  #told: readonly string[] = NONE;

  constructor(link: Link, creditor: Creditor, mounts: ReadonlyMap<number, Mounted>, visitor: ProtocolsVisitor = {}) {
    this.#visitor = visitor;
    this.#link = link;
    this.#creditor = creditor;
    this.#mounts = mounts;
  }

  /** The channel of a byte; made at its first use, and kept for as long as the connection lives. */
  get(byte: number): Channel {
    const last = this.#last;
    return last !== undefined && last.byte === byte ? last : this.#find(byte);
  }

  /** The channel that a peer names, if a protocol is mounted on it or was. A number that it makes up costs no memory. */
  known(number: number): Channel | undefined {
    const last = this.#last;
    if (last !== undefined && last.byte === number) return last;
    return this.#mounts.has(number) ? this.#find(number) : this.used(number);
  }

  /** Pays back what came for a channel that nothing is mounted on. It is forgotten once it was paid; numbers above 255 have no account. */
  stray(account: number, number: number): Receiving {
    const { short, long } = this.#link.limits.credit;
    const key = account * BYTES + number;
    let stray = this.#strays?.get(key);
    if (stray !== undefined) return stray;
    stray = new Stray(this.#creditor, account, account === Account.SHORT ? short : long, number, () => this.#strays!.delete(key));
    if (number >= BYTES) stray.end();
    else {
      this.#strays ??= new Map();
      this.#strays.set(key, stray);
    }
    return stray;
  }

  /** Where refusals wait that belong to no channel. */
  get nowhere(): Lanes {
    this.#nowhere ??= new Lanes(0, 10, 0, 0);
    return this.#nowhere;
  }

  /** All lanes in which something may wait. */
  lanes(): Lanes[] {
    const lanes = this.#opened.map((channel) => channel.lanes);
    return this.#nowhere === undefined ? lanes : [...lanes, this.#nowhere];
  }

  #find(byte: number): Channel {
    let channel = this.used(byte);
    if (channel === undefined) {
      channel = new Channel(this.#link, this.#creditor, byte);
      // Most connections have one or two: exactly so much memory.
      this.#opened = [...this.#opened, channel];
      this.#join(channel);
    }
    this.#last = channel;
    return channel;
  }

  /** The channel of a byte that was used. */
  used(byte: number): Channel | undefined {
    for (const channel of this.#opened) if (channel.byte === byte) return channel;
    return undefined;
  }

  /** All that were used. */
  all(): readonly Channel[] {
    return this.#opened;
  }

  /** What the peer's HELLO told. */
  met(theirs: readonly HelloProtocol[]): void {
    this.#theirs = theirs;
  }

  /** Ours have changed: gives the list that the peer is to learn. */
  remount(): Uint8Array {
    for (const channel of this.#opened) this.#join(channel);
    this.#visitor.protocolsChanged?.();
    return encodeProtocols([...this.#mounts.values()].map((mounted) => helloProtocol(mounted.protocol)));
  }

  /** Theirs have changed; a text says what is wrong with the list. */
  learn(list: Uint8Array): string | undefined {
    const protocols = decodeProtocols(list);
    if (typeof protocols === 'string') return protocols;
    this.#theirs = protocols;
    for (const channel of this.#opened) if (channel.mounted !== undefined) this.#agree(channel, channel.mounted);
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

  /** Protocols that both ends have mounted and can't speak with each other, each once. */
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

  /** Why no protocol that is mounted here can be spoken with the peer. Undefined if one can, or if the peer has told of none yet. */
  nothingShared(): TransportError | undefined {
    let why: TransportError | undefined;
    const [own, theirs] = [[...this.#mounts.values()].map(({ protocol }) => protocol), this.#theirs];
    if (theirs.length === 0) return undefined;
    for (const protocol of own) {
      const agreed = agree(protocol, theirs);
      if (agreed instanceof TransportError) why ??= agreed;
      else if (theirs.some(({ name }) => name === protocol.name)) return undefined;
    }
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => `'${name}'`).join(', ');
    return why ?? reasonError('no_shared_protocol', `one end has mounted ${names(own)}, the other ${names(theirs)}: they share no protocol`);
  }

  /** Looks after a channel until its writers, and its replies, have room. */
  watch(channel: Channel): void {
    if (!this.#watched.includes(channel)) this.#watched.push(channel);
  }

  /** @param writable would a one-way go now? @param room its replies have drained: its calls may be dispatched again. */
  look(writable: (channel: Channel) => boolean, room: (channel: Channel) => void): void {
    if (this.#watched.length === 0) return;
    const watched = this.#watched;
    this.#watched = [];
    for (const channel of watched) {
      const { disagreement } = channel;
      if (channel.writers.length > 0 && (disagreement !== undefined || writable(channel))) {
        for (const writer of channel.writers.splice(0)) disagreement === undefined ? writer.resolve() : writer.reject(disagreement);
      }
      if (channel.stalled && !channel.lanes.congested(this.#link.limits.outbound)) {
        channel.stalled = false;
        room(channel);
      }
      if (channel.writers.length > 0 || channel.stalled) this.watch(channel);
    }
  }

  /** Nothing more is opened here: who waited for room is told. */
  rejectWriters(error: TransportError): void {
    for (const channel of this.#opened) for (const writer of channel.writers.splice(0)) writer.reject(error);
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
      const message = `channel ${channel.byte} was '${channel.name}' on this connection before it was '${protocol.name}'; a byte keeps its name while a connection lives`;
      channel.disagreement = new TransportError('failed_precondition', message);
      return;
    }
    const agreed = agree(protocol, this.#theirs);
    channel.disagreement = agreed instanceof TransportError ? agreed : undefined;
    if (typeof agreed === 'number') channel.version = agreed;
  }
}

/** An account that is forgotten when all is paid. */
class Stray extends Receiving {
  readonly #paid: () => void;

  constructor(creditor: Creditor, account: number, start: number, channel: number, paid: () => void) {
    super(creditor, account, start, 0, channel);
    this.#paid = paid;
  }

  override write(writer: FrameWriter): void {
    super.write(writer);
    this.#paid();
  }
}

/** Channels are bytes. */
const BYTES = 0x100;

/** Shared: most connections have nothing to report. */
const NONE: readonly string[] = [];
