// The events of a run: the most recent ones as text, and the last state of each node.

import type { TraceSummary } from '../kernel/trace.ts';

/** The events of a run. */
export class Timeline {
  events = 0;
  readonly #lines: string[] = [];
  readonly #states = new Map<string, string>();
  readonly #onEvent: ((line: string) => void) | undefined;

  constructor(onEvent: ((line: string) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  /** Adds an event of a node, or of the whole run if the name is empty. */
  note(now: number, name: string, text: string): void {
    const line = `${Math.round(now).toString().padStart(8)} ms  ${name.padEnd(6)} ${text}`;
    this.events++;
    this.#lines.push(line);
    if (this.#lines.length > LINES) this.#lines.shift();
    this.#onEvent?.(line);
  }

  /** Stores the state of a node; undefined removes it. */
  setState(name: string, state: string | undefined): void {
    if (state === undefined) this.#states.delete(name);
    else this.#states.set(name, state);
  }

  /**
   * The events in the form of a simulation's trace. Real runs have no hash, and no reports of
   * nodes.
   */
  get summary(): TraceSummary {
    const states = Object.fromEntries(this.#states);
    return { hash: '', events: this.events, timeline: [...this.#lines], states, nodes: [] };
  }

  /** The last events, for an error. */
  get last(): string {
    return this.#lines
      .slice(-SHOWN)
      .map((line) => `\n  ${line}`)
      .join('');
  }
}

/** Maximum number of lines that are kept, and number of lines in an error. */
const LINES = 200;
const SHOWN = 30;
