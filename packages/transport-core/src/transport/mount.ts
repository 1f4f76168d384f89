// One protocol mounted on a transport: its inbox, with its outgoing calls.

import { contexts } from '#context';
import { TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { type Call, CallHost } from '../rpc/call.ts';
import { Inbox } from '../rpc/inbox.ts';
import type { ConnectionHost } from '../stream/connection.ts';
import { onGarbage, systemClock } from '../system-runtime.ts';

/** One mounted protocol: the inbox of the peers' calls, and the calls that are made here. */
export class Mount extends Inbox {
  /** The calls that are made here. */
  readonly calls: CallHost;
  /** The error with which new calls fail; set when the mount closes. */
  over: TransportError | undefined = undefined;
  /** False if its calls go on while the node drains. */
  readonly drains: boolean;

  constructor(protocol: Protocol, host: ConnectionHost, drains: boolean) {
    super(protocol, host, contexts);
    this.drains = drains && !isProjectProtocol(protocol);
    // When an object becomes garbage can't be replayed, so no other clock may depend on it.
    const watch = host.clock === systemClock ? watchUnread : undefined;
    this.calls = new CallHost(protocol, host, watch);
  }

  /** Makes all new calls from here fail with `shutdown`. */
  shut(): void {
    const message = `this transport of '${this.protocol.name}' is closed`;
    this.over ??= new TransportError('shutdown', message, { sent: false });
  }
}

/**
 * Returns the text of the error for a channel that another protocol uses, with a suggestion for a
 * free one.
 */
export function channelTaken(
  { name, channel }: Protocol,
  other: string,
  mounts: ReadonlyMap<number, Mount>,
): string {
  let free = 0x20;
  while (mounts.has(free)) free++;
  return `channel ${channel} of '${name}' is taken by '${other}' on this transport: give one of them another channel on all nodes, such as channel: ${free}`;
}

/** Returns true for a protocol of Trunkline itself, which interceptors do not see. */
export function isProjectProtocol({ channel }: Protocol): boolean {
  return channel < FIRST_OWN;
}

/** The lowest channel of protocols that `defineProtocol` makes. */
const FIRST_OWN = 0x10;

// Finds streams that became garbage before anybody began to read them, so that their calls end.

let offered: { readonly items: object; readonly call: Call }[] = [];
let registry: FinalizationRegistry<Call> | undefined;

/**
 * Calls `call.forgotten` when the items have become garbage. A stream that is read in the turn in
 * which its caller gets it, as almost all are, costs no entry in the registry.
 */
export function watchUnread(items: object, call: Call): void {
  if (offered.push({ items, call }) === 1) systemClock.turn!(register);
}

function register(): void {
  registry ??= onGarbage((call) => call.forgotten());
  for (const { items, call } of offered)
    if (call.download!.unreadSince !== undefined) registry.register(items, call);
  offered = [];
}
