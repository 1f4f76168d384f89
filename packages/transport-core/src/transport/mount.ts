// One protocol on a transport: its inbound calls, and how many of its own are under way.

import { type Code, TransportError } from '../errors.ts';
import type { Counter } from '../observer.ts';
import { type MethodTable, methodTable, type Protocol } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { CallHost } from '../rpc/call.ts';
import { Inbox } from '../rpc/inbox.ts';
import type { Mounted } from '../session/channel.ts';

/** What a mount tells its transport. */
export interface MountHost {
  now(): number;
  settled(code: Code | undefined): void;
  wakeBy(time: number): void;
  count(counter: Counter, amount: number, remote: Remote | undefined): void;
  callbackFailed(callback: string, error: unknown): void;
}

export class Mount implements Mounted, CallHost {
  readonly protocol: Protocol;
  readonly channel: number;
  readonly table: MethodTable;
  readonly inbox: Inbox;
  /** Set when it closes: what new calls fail with. */
  over: TransportError | undefined = undefined;
  /** Calls made here that have not settled. */
  open = 0;
  readonly #host: MountHost;
  readonly #idle: (() => void)[] = [];

  constructor(protocol: Protocol, host: MountHost) {
    this.protocol = protocol;
    this.channel = protocol.channel;
    this.table = methodTable(protocol);
    this.#host = host;
    this.inbox = new Inbox(
      protocol,
      this.table,
      () => host.now(),
      (counter, remote) => host.count(counter, 1, remote),
      (error) => host.callbackFailed('handler', error),
    );
  }

  settled(code: Code | undefined): void {
    this.open--;
    this.#host.settled(code);
    if (this.open === 0 && this.#idle.length > 0) this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  wakeBy(time: number): void {
    this.#host.wakeBy(time);
  }

  /** Resolves when no call made here is under way. */
  whenIdle(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Refuses new calls from now on. */
  refuse(): void {
    this.over ??= new TransportError('shutdown', `this transport of '${this.protocol.name}' is closed`, { sent: false });
  }
}

/** Says that the channel of a protocol is taken by another's, and how to mend it. */
export function channelTaken({ name, channel }: Protocol, other: string, mounts: ReadonlyMap<number, Mount>): string {
  let free = 0x20;
  while (mounts.has(free)) free++;
  return `channel ${channel} of '${name}' is taken by '${other}' on this transport: give one of them another at all nodes, such as channel: ${free}`;
}
