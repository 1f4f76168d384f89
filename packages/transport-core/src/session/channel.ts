// One channel on one connection: the lanes out, the accounts in, the calls both ways. It outlives a mount of its protocol.

import type { TransportError } from '../errors.ts';
import { List } from '../list.ts';
import type { MethodTable, Protocol } from '../protocol/protocol.ts';
import { Account } from '../wire/frame.ts';
import type { InCall, InChannel } from './in-call.ts';
import type { Link } from './link.ts';
import type { OutCall } from './out-call.ts';
import { Lanes } from './outgoing.ts';
import { type Creditor, Receiving } from './receiving.ts';

/** A protocol as this end has mounted it. */
export interface Mounted {
  readonly protocol: Protocol;
  readonly table: MethodTable;
}

export class Channel implements InChannel {
  readonly link: Link;
  readonly byte: number;
  /** The only name that this byte ever has on this connection. */
  name: string | undefined = undefined;
  mounted: Mounted | undefined = undefined;
  /** The agreed version of the protocol. */
  version = 0;
  /** Why the ends can't speak it. */
  disagreement: TransportError | undefined = undefined;
  readonly lanes: Lanes;

  /** Our calls without a terminal frame, and those that wait for room, in order. */
  open = 0;
  readonly waiting = new List<OutCall>();
  readonly waitingLong = new List<OutCall>();
  /** Those that wait until trySend would be true. */
  readonly writers: { resolve(): void; reject(error: TransportError): void }[] = [];

  /** The peer's accounts with us. */
  readonly short: Receiving;
  readonly long: Receiving;
  /** The peer's calls that have no terminal yet, and the handlers that run. */
  openIn = 0;
  running = 0;
  /** Handlers of one-ways that run, and whether others wait because they are as many as `limits.calls` allows. */
  oneways = 0;
  crowded = false;
  /** So many replies wait that its calls are not dispatched for now. */
  stalled = false;
  /** What came and was not taken; `queued` counts its short requests, `queuedBytes` their bytes. */
  readonly inbound = new List<InCall>();
  queued = 0;
  queuedBytes = 0;

  constructor(link: Link, creditor: Creditor, byte: number) {
    this.link = link;
    this.byte = byte;
    this.lanes = new Lanes(byte, 10, link.terms.short, link.terms.long);
    this.short = new Receiving(creditor, Account.SHORT, link.limits.credit.short, 0, byte);
    this.long = new Receiving(creditor, Account.LONG, link.limits.credit.long, 0, byte);
  }
}
