// The error that a failed run rejects with. It names the rule that broke, the seed and the virtual
// time, and shows what happened before.

import { formatTime, type TraceSummary } from './trace.ts';

/** The details of a {@link SimulationError}. */
export interface SimulationErrorInit {
  readonly seed: number;
  /** Virtual milliseconds since the simulation began. */
  readonly at: number;
  /** The rule that broke: a name given to `always` or `eventually`, or 'until', 'deadlock', … */
  readonly invariant: string;
  readonly trace: TraceSummary;
  readonly cause?: unknown;
}

/** A run of a simulation failed. The same seed and the same code fail in the same way again. */
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
      ...(last.length > 0 ? ['the last events:', ...last] : []),
      ...(states.length > 0 ? ['the last reported states of the nodes:', ...states] : []),
    ];
    super(text.join('\n'), cause === undefined ? undefined : { cause });
    this.name = 'SimulationError';
    this.seed = seed;
    this.at = at;
    this.invariant = invariant;
    this.trace = trace;
  }
}

/** Lines of the timeline in the message; `trace.timeline` has more. */
const SHOWN = 20;
/** Number of nodes whose states are in the message; `trace.states` has all. */
const STATES = 20;
