// The activity of a node that reports show: the last lines of its log and, if the simulation
// records, its calls in flight.

import { type CallRecord, combineObservers, type Observer } from '@trunkline/transport-core';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { LogLine, OpenCall } from '../kernel/node-report.ts';

/** The log and the open calls of a node, over all its incarnations. */
export class NodeActivity {
  readonly #loop: EventLoop;
  readonly #name: string;
  readonly #log: LogLine[] = [];
  readonly #calls = new Map<CallRecord, OpenCall & { readonly end: (code?: string) => void }>();

  constructor(loop: EventLoop, name: string) {
    this.#loop = loop;
    this.#name = name;
  }

  /** The last lines of the log, oldest first. */
  get log(): readonly LogLine[] {
    return [...this.#log];
  }

  /** The calls that have not settled, oldest first. */
  get calls(): readonly OpenCall[] {
    return [...this.#calls.values()]
      .slice(0, CALLS)
      .map(({ method, to, since }) => ({ method, to, since }));
  }

  /** Adds a line to the log. */
  logged(text: string): void {
    this.#log.push({ at: this.#loop.now, text: text.slice(0, LONGEST_LINE) });
    if (this.#log.length > LINES) this.#log.shift();
  }

  /** Forgets the calls of an incarnation that has ended. */
  crashed(): void {
    this.#calls.clear();
  }

  /** Returns `observer` or, if the simulation records, an observer that also follows calls. */
  observing(observer: Observer | undefined): Observer | undefined {
    const { recorder } = this.#loop.trace;
    if (recorder === undefined) return observer;
    const own: Observer = {
      callStarted: (record) => {
        const { protocol, method, target = '' } = record;
        const call = { method: `${protocol}/${method}`, to: target, since: this.#loop.now };
        this.#calls.set(record, { ...call, end: recorder.called(this.#name, call) });
      },
      callEnded: (record) => {
        this.#calls.get(record)?.end(record.code);
        this.#calls.delete(record);
      },
    };
    return observer === undefined ? own : combineObservers(own, observer);
  }
}

/** Maximum number of log lines that are kept. */
const LINES = 20;
/** Maximum length of a log line, in characters. */
const LONGEST_LINE = 500;
/** Maximum number of open calls in a report. */
const CALLS = 50;
