// Records the reports of a transport: errors for the state, and events for their readers.

import type { CallRecord, Clock, Observer, ObserverEvent } from '@trunkline/transport-core';
import { EventHub } from '@trunkline/transport-core/internal';
import { type AdminEvent, adminEvent } from './events.ts';
import type { ErrorLog } from './state/error-log.ts';

/** The observer of a node's transports, without its metrics. */
export class Recorder implements Observer {
  readonly #errors: ErrorLog;
  /** The clock of the transport, once it is served. */
  #clock: Clock | undefined;
  readonly #hubs = new Set<EventHub<AdminEvent>>();

  constructor(errors: ErrorLog) {
    this.#errors = errors;
  }

  /** Uses the clock of a transport for the times of events, and of errors that are not of calls. */
  useClock(clock: Clock): void {
    this.#clock = clock;
  }

  /** The time on the transport's clock, in milliseconds; 0 before `useClock`. */
  get now(): number {
    return this.#clock?.now() ?? 0;
  }

  /** Adds a hub for one reader of events. The caller must call `leave`, which ends the hub. */
  follow(): { readonly hub: EventHub<AdminEvent>; leave(): void } {
    const hub = new EventHub<AdminEvent>((missed) =>
      adminEvent(this.now, 'admin', { type: 'lagged', missed } as { type: string }),
    );
    this.#hubs.add(hub);
    return {
      hub,
      leave: () => {
        this.#hubs.delete(hub);
        hub.end();
      },
    };
  }

  callEnded(call: CallRecord): void {
    this.#errors.addCall(call);
  }

  handlerEnded(call: CallRecord): void {
    this.#errors.addCall(call);
  }

  event(event: ObserverEvent): void {
    this.#addError(event);
    if (this.#hubs.size === 0) return;
    const told = adminEvent(this.now, 'transport', event);
    for (const hub of this.#hubs) hub.tell(told);
  }

  #addError(event: ObserverEvent): void {
    const at = this.now;
    switch (event.type) {
      case 'down':
        if (event.cause !== undefined && !ORDERLY.test(event.cause.reason ?? ''))
          this.#errors.addConnection(at, 'connection', event.remote, event.cause);
        return;
      case 'mismatch':
        return this.#errors.add(at, 'protocol', event.protocol, event.error);
      case 'rejected':
        return this.#errors.addConnection(at, 'handshake', event, event.error);
      case 'dialFailed':
        return this.#errors.add(at, 'dial', event.target, event.error);
      case 'listenFailed':
      case 'acceptFailed':
        return this.#errors.add(at, 'listener', '', event.error);
      case 'broker':
        if (event.error !== undefined) this.#errors.add(at, 'broker', event.server, event.error);
        return;
      case 'callbackFailed':
        return this.#errors.add(at, 'callback', event.callback, event.error);
    }
  }
}

/** The reasons of connections that ended in an orderly way, which is no error. */
const ORDERLY = /^(idle|closed|disconnected|duplicate|draining)$/;
