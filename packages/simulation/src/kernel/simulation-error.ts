// The error with which a failed run rejects. It names the rule that broke, the seed and the virtual
// time, and shows the preceding events.

import { describeNodes } from './describe-nodes.ts';
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

/**
 * The failure of a simulation's run. The same seed and the same code fail in the same way again.
 */
export class SimulationError extends Error {
  readonly seed: number;
  readonly at: number;
  readonly invariant: string;
  readonly trace: TraceSummary;

  constructor(what: string, { seed, at, invariant, trace, cause }: SimulationErrorInit) {
    const head = `${invariant}: ${what} (seed ${seed}, at ${formatTime(at)} ms)`;
    super([head, ...describeMoment(trace)].join('\n'), cause === undefined ? undefined : { cause });
    this.name = 'SimulationError';
    this.seed = seed;
    this.at = at;
    this.invariant = invariant;
    this.trace = trace;
  }
}

/** Returns the message of an error without the events and nodes at its end. */
export function messageWithoutMoment({ message, trace }: SimulationError): string {
  const moment = ['', ...describeMoment(trace)].join('\n');
  return message.endsWith(moment) ? message.slice(0, message.length - moment.length) : message;
}

/** Returns the last events of a run and its nodes at that moment, as lines of text. */
export function describeMoment(
  { timeline, nodes }: TraceSummary,
  title = 'the last events:',
): string[] {
  const last = timeline.slice(-SHOWN).map((line) => `  ${line}`);
  const all = describeNodes(nodes);
  return [
    ...(last.length > 0 ? [title, ...last] : []),
    ...(all.length > 0 ? ['the nodes at that time:', ...all] : []),
  ];
}

/** Maximum number of lines of the timeline in the message; `trace.timeline` has more. */
const SHOWN = 20;
