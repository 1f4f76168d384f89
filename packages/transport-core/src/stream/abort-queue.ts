// Notifies handlers that their caller is gone. When a connection with thousands of calls ends, each
// handler with a signal costs as much as hundreds of frames, so handlers are notified over several
// turns.

import type { InCall } from '../session/in-call.ts';
import { CANCEL_TOLD, TURN } from '../session/session-context.ts';
import type { ReadScheduler, ScheduledReader } from './read-scheduler.ts';

/**
 * Owns the calls of one transport that have lost their connection and whose handlers were not
 * notified yet. Their number is bounded by the number of calls that may be handled at the same
 * time.
 */
export class AbortQueue implements ScheduledReader {
  #calls: InCall[] = [];
  /** The index of the first call in `#calls` whose handler was not notified. */
  #next = 0;
  readonly #scheduler: ReadScheduler;

  constructor(scheduler: ReadScheduler) {
    this.#scheduler = scheduler;
  }

  /** Notifies the handlers of these calls: now, or in later turns if there are many. */
  add(calls: readonly InCall[]): void {
    if (calls.length === 0) return;
    const isIdle = this.#calls.length === 0;
    for (const call of calls) this.#calls.push(call);
    if (isIdle) this.goOn();
  }

  /** Notifies as many handlers as one turn has units for. */
  goOn(): void {
    const end = Math.min(this.#next + TURN / CANCEL_TOLD, this.#calls.length);
    this.#scheduler.spend((end - this.#next) * CANCEL_TOLD);
    while (this.#next < end) tell(this.#calls[this.#next++]!);
    if (end < this.#calls.length) return this.#scheduler.wait(this);
    this.#calls = [];
    this.#next = 0;
  }

  /** Notifies all remaining handlers immediately, because the transport is closed. */
  finish(): void {
    while (this.#calls.length > 0) this.goOn();
    this.#scheduler.leave(this);
  }
}

/** Notifies a handler, unless it has already ended. */
function tell(call: InCall): void {
  if (call.running !== 0) call.tell();
}
