// One protocol mounted on a transport: its inbox, and the calls that are made here.

import { type ErrorCode, TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { isProjectProtocol, type Protocol } from '../protocol/protocol.ts';
import type { RpcHost } from './call.ts';
import { Inbox } from './inbox.ts';

/** One mounted protocol: the inbox of the peers' calls, and the calls that are made here. */
export class Mount extends Inbox {
  /** The number of calls made here that have not settled. */
  open = 0;
  /** The error with which new calls fail; set when the mount closes. */
  over: TransportError | undefined = undefined;
  /** False if its calls go on while the node drains. */
  readonly drains: boolean;
  readonly #idle: (() => void)[] = [];

  /** @param allow the rule for calls to all methods. */
  constructor(protocol: Protocol, host: RpcHost, allow?: AllowCall, drains = true) {
    super(protocol, host, allow);
    this.drains = drains && !isProjectProtocol(protocol);
  }

  /** Counts a call that starts. */
  begin(): void {
    if (this.open++ === 0) this.host.alive.enter();
  }

  /** Called when a call has settled, with this code if it failed. */
  settled(code: ErrorCode | undefined): void {
    this.open--;
    if (code !== undefined) this.host.reporter.callFailed(code);
    if (this.open > 0) return;
    this.host.alive.leave();
    if (this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when no call is in flight. */
  whenIdle(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Makes all new calls from here fail with `shutdown`. */
  shut(): void {
    const message = `this transport of '${this.protocol.name}' is closed`;
    this.over ??= new TransportError('shutdown', message, { sent: false });
  }
}
