// What a run rejects with: which rule broke, at which moment of which seed, and what happened before.

import { formatTime, type TraceSummary } from './trace.ts';

export interface SimulationErrorInit {
  readonly seed: number;
  /** Virtual milliseconds. */
  readonly at: number;
  /** The rule that broke: the name given to `always`, 'until', 'deadlock', … */
  readonly invariant: string;
  readonly trace: TraceSummary;
  readonly cause?: unknown;
}

/** A run came to a bad end. The same seed and the same code come to it again. */
export class SimulationError extends Error {
  readonly seed: number;
  readonly at: number;
  readonly invariant: string;
  readonly trace: TraceSummary;

  constructor(what: string, { seed, at, invariant, trace, cause }: SimulationErrorInit) {
    const last = trace.timeline.slice(-SHOWN).map((line) => `  ${line}`);
    const states = Object.entries(trace.states)
      .slice(0, STATES)
      .map(([node, state]) => `  ${node.padEnd(12)} ${state}`);
    const text = [
      `${invariant}: ${what} (seed ${seed}, at ${formatTime(at)} ms)`,
      ...(last.length > 0 ? ['the last that happened:', ...last] : []),
      ...(states.length > 0 ? ['the states that the nodes told last:', ...states] : []),
    ];
    super(text.join('\n'), cause === undefined ? undefined : { cause });
    this.name = 'SimulationError';
    this.seed = seed;
    this.at = at;
    this.invariant = invariant;
    this.trace = trace;
  }
}

/** Lines of the timeline that a message shows; `trace.timeline` has more. */
const SHOWN = 20;
/** Nodes whose states a message shows; `trace.states` has all. */
const STATES = 20;
