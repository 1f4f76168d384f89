// One channel on one connection: its outgoing lanes, its incoming accounts, and the calls of both
// directions. It continues to exist when its protocol is unmounted.

import type { TransportError } from '../errors.ts';
import { List } from '../list.ts';
import type { MethodTable, Protocol } from '../protocol/protocol.ts';
import { Account } from '../wire/frame.ts';
import type { InCall, InChannel } from './in-call.ts';
import type { OutCall } from './out-call.ts';
import { Lanes } from './outgoing.ts';
import { type Creditor, ReceiveAccount } from './receive-account.ts';
import type { SessionContext } from './session-context.ts';

/** A protocol as this end has mounted it. */
export interface Mounted {
  readonly protocol: Protocol;
  readonly table: MethodTable;
}

export class Channel implements InChannel {
  readonly context: SessionContext;
  readonly byte: number;
  /**
   * The name of the first protocol mounted here; a channel byte keeps its name as long as the
   * connection lives.
   */
  name: string | undefined = undefined;
  mounted: Mounted | undefined = undefined;
  /** The protocol version that both ends agreed on. */
  version = 0;
  /** The reason why the two ends can't speak the protocol; undefined if they can. */
  disagreement: TransportError | undefined = undefined;
  readonly lanes: Lanes;

  /** Our calls without a terminal frame, and those that wait for room, in order. */
  open = 0;
  readonly waiting = new List<OutCall>();
  readonly waitingLong = new List<OutCall>();
  /** Promises of `writable()` that wait until `trySend` would return true. */
  readonly writers: { resolve(): void; reject(error: TransportError): void }[] = [];

  /** The peer's accounts with this end. */
  readonly short: ReceiveAccount;
  readonly long: ReceiveAccount;
  /**
   * The peer's calls that have no terminal frame yet, and the requests whose handlers are running.
   */
  openIn = 0;
  running = 0;
  /**
   * One-ways whose handlers are running; and whether more wait because that number has reached
   * `limits.calls`.
   */
  oneways = 0;
  crowded = false;
  /** True if so many replies wait that the channel's calls are not dispatched for now. */
  stalled = false;
  /**
   * Calls that arrived and were not taken; `queued` counts the short requests among them,
   * `queuedBytes` their bytes.
   */
  readonly inbound = new List<InCall>();
  queued = 0;
  queuedBytes = 0;

  constructor(context: SessionContext, creditor: Creditor, byte: number) {
    this.context = context;
    this.byte = byte;
    this.lanes = new Lanes(byte, 10, context.terms.short, context.terms.long);
    this.short = new ReceiveAccount(creditor, Account.SHORT, context.limits.credit.short, 0, byte);
    this.long = new ReceiveAccount(creditor, Account.LONG, context.limits.credit.long, 0, byte);
  }
}
