// The recorder of a simulation: it keeps the most recent events as plain data, so that a failed run
// can be examined step by step.

import type { NodeReport, OpenCall } from './node-report.ts';

/** An event of a recording. */
export interface RecordedEvent {
  /** The position of the event in the trace; undefined for 'called' and 'returned'. */
  readonly event?: number | undefined;
  /** Virtual milliseconds since the simulation began. */
  readonly at: number;
  /**
   * The kind of event: 'sent', 'arrived', 'lost', 'duplicated' and 'held' for messages; 'dialed',
   * 'accepted', 'refused', 'ended' and 'reset' for connections; 'called' and 'returned' for calls;
   * 'booted', 'crashed', 'stored', 'note' and 'state' for nodes; and 'fault'.
   */
  readonly kind: string;
  /** The node of the event, or the sender of the message; undefined for a fault. */
  readonly from?: string | undefined;
  /** The receiver of the message, the other end of the connection, or the target of the call. */
  readonly to?: string | undefined;
  /**
   * The name of the data that was sent or stored ('election/vote request'), or the method of a
   * call.
   */
  readonly what?: string | undefined;
  /** The size in bytes; for 'booted', the number of boots of the node so far. */
  readonly size?: number | undefined;
  /** The text of a fault, a state or a note, or the code of a call's failure. */
  readonly text?: string | undefined;
  /** The `event` in which a message that arrives or is lost was sent. */
  readonly sent?: number | undefined;
  /**
   * The `event` in which the request of its call was sent. 'called' and 'returned' of one call
   * share a number instead that counts the calls, and is not that of an event.
   */
  readonly call?: number | undefined;
}

/** The events that a recorder has kept, with the nodes before and after them. */
export interface RecordedEvents {
  /** The most recent events, oldest first. */
  readonly events: readonly RecordedEvent[];
  /** The number of earlier events, which were not kept. */
  readonly dropped: number;
  /** The nodes as they were before the first event. */
  readonly start: readonly {
    readonly name: string;
    readonly up: boolean;
    readonly state?: string | undefined;
  }[];
  /** The nodes at the end. */
  readonly nodes: readonly NodeReport[];
  /** Virtual milliseconds at the end. */
  readonly at: number;
}

/**
 * An event as the trace passes it on; a number below 0 or an empty name means that there is none.
 */
export interface TracedEvent {
  readonly event: number;
  readonly at: number;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly size: number;
  readonly text: string | undefined;
  readonly sent: number;
  readonly call: number;
}

/** Keeps the last events of a simulation, until it is stopped. */
export class Recorder {
  readonly #clock: { readonly now: number };
  readonly #most: number;
  readonly #inspect: () => readonly NodeReport[];
  #events: RecordedEvent[] = [];
  #dropped = 0;
  readonly #start = new Map<string, RecordedEvents['start'][number]>();
  #calls = 0;
  #ended: RecordedEvents | undefined;

  /**
   * @param most the maximum number of events that are kept; older ones are dropped and counted.
   * @param inspect reports all nodes.
   */
  constructor(clock: { readonly now: number }, most: number, inspect: () => readonly NodeReport[]) {
    this.#clock = clock;
    this.#most = most;
    this.#inspect = inspect;
  }

  /** Adds an event of the trace. Timers and frames that only maintain connections are left out. */
  add({ event, at, kind, from, to, what, size, text, sent, call }: TracedEvent): void {
    if (kind === 'timer' || kind === 'control') return;
    this.#keep({
      event,
      at,
      kind,
      ...(from !== '' && { from }),
      ...(to !== '' && { to }),
      ...(what !== '' && { what }),
      ...(size > 0 && text === undefined && { size }),
      ...(text !== undefined && { text }),
      ...(sent >= 0 && { sent }),
      ...(call >= 0 && { call }),
    });
  }

  /** Adds the start of a call, and returns a function that adds its end. */
  called(from: string, { method, to, since }: OpenCall): (code: string | undefined) => void {
    const call = this.#calls++;
    this.#keep({ at: since, kind: 'called', from, to, what: method, call });
    return (code) =>
      this.#keep({
        at: this.#clock.now,
        kind: 'returned',
        from,
        to,
        what: method,
        ...(code !== undefined && { text: code }),
        call,
      });
  }

  /** Stops the recorder: it keeps no further events. */
  stop(): void {
    this.#ended ??= this.take();
  }

  /** Returns the events that have been kept so far, or until `stop`. */
  take(): RecordedEvents {
    if (this.#ended !== undefined) return this.#ended;
    this.#drop(this.#events.length - this.#most);
    return {
      events: [...this.#events],
      dropped: this.#dropped,
      start: [...this.#start.values()],
      nodes: this.#inspect(),
      at: this.#clock.now,
    };
  }

  #keep(event: RecordedEvent): void {
    if (this.#ended !== undefined) return;
    this.#events.push(event);
    // Events are dropped in bulk, because dropping one of many is slow.
    if (this.#events.length >= 2 * this.#most) this.#drop(this.#events.length - this.#most);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    for (const event of this.#events.splice(0, count)) this.#follow(event);
    this.#dropped += count;
  }

  /** Follows the states of nodes through the events that are dropped. */
  #follow({ kind, from: name, text }: RecordedEvent): void {
    if (name === undefined) return;
    if (kind === 'booted') this.#start.set(name, { name, up: true });
    else if (kind === 'crashed') this.#start.set(name, { name, up: false });
    else if (kind === 'state')
      this.#start.set(name, { name, up: true, ...(text !== undefined && { state: text }) });
  }
}
