// The comparison of two runs: it keeps the events of the first run, and finds the first event of
// the second run that differs.

import type { TraceRecord } from '../kernel/trace.ts';

/** Keeps the events of the first run, and finds where the second run differs. */
export class TraceComparison {
  readonly #events: string[] = [];
  /** Number of events of the first run that were not kept. */
  #more = 0;
  /** Number of events of the second run that equal those of the first. */
  #same = 0;
  /** The first event of the second run that differs. */
  #other: string | undefined;

  /** Receives each event of the first run. */
  keep(event: TraceRecord): void {
    if (this.#events.length < MOST) this.#events.push(textOf(event));
    else this.#more++;
  }

  /** Receives each event of the second run. */
  compare(event: TraceRecord): void {
    if (this.#other !== undefined || this.#same === MOST) return;
    const text = textOf(event);
    if (text === this.#events[this.#same]) this.#same++;
    else this.#other = text;
  }

  /** Describes the first event that differs, after the equal events before it. */
  difference(): string {
    const [events, same, other] = [this.#events, this.#same, this.#other];
    const one = events[same];
    if (one === undefined && other === undefined) {
      return this.#more > 0
        ? `the first ${MOST} events are equal, and a later one differs`
        : 'their events are equal, but the names in them differ';
    }
    // Times are shown with three decimal places, unless that hides the difference.
    const show =
      one !== undefined && other !== undefined && shown(one) === shown(other)
        ? (text: string) => text
        : shown;
    return [
      `event ${same + 1} differs between the two runs`,
      ...events.slice(Math.max(0, same - SHOWN), same).map((text) => `  ${shown(text)}`),
      `- ${one === undefined ? '(the first run has no more)' : show(one)}`,
      `+ ${other === undefined ? '(the second run has no more)' : show(other)}`,
    ].join('\n');
  }
}

/**
 * Returns the line of an event with the details that the line does not show: the checksum of the
 * data that was sent, stored or noted, and the exact time.
 */
function textOf({ line, at, check }: TraceRecord): string {
  return `${line}${check === 0 ? '' : `  #${check.toString(16).padStart(8, '0')}`}\t(${at} ms)`;
}

/** Returns the text of an event without the exact time. */
function shown(text: string): string {
  return text.slice(0, text.lastIndexOf('\t'));
}

/** Maximum number of events of the first run that are kept. */
const MOST = 500_000;
/** Maximum number of equal events shown before the difference. */
const SHOWN = 8;
