// The recording of a run, as JSON: the format that `@trunkline/admin/replay` shows.

import { type Violation, violationIn } from './checking/violation.ts';
import { describeError } from './kernel/event-loop.ts';
import type { RecordedEvents } from './kernel/recorder.ts';
import { messageWithoutMoment, SimulationError } from './kernel/simulation-error.ts';
import type { SimulationLevel } from './network/sim-network.ts';

/**
 * A recorded run as plain data. A later format may add properties; its `version` stays the same as
 * long as programs for the earlier format can read it.
 */
export interface Recording extends RecordedEvents {
  readonly format: 'trunkline-recording';
  readonly version: 1;
  readonly seed: number;
  readonly level: SimulationLevel;
  /**
   * The hash of the trace. If `explore` made the recording, it is the hash at the end of the whole
   * run.
   */
  readonly hash: string;
  /** The reason why the run failed; undefined if it has not failed. */
  readonly failure?:
    | {
        /** The rule that broke; undefined if the scenario threw another error. */
        readonly rule?: string | undefined;
        /** The first line of the error. */
        readonly message: string;
        /** The whole text of the error; undefined if it has only one line. */
        readonly text?: string | undefined;
        /**
         * Virtual milliseconds since the simulation began. For the history that a checker of
         * `check` found wrong, this is the moment of the violation.
         */
        readonly at: number;
        /** The operations of the history that show the violation. */
        readonly operations?: Violation['operations'] | undefined;
      }
    | undefined;
  /** The search that found the failure; undefined if `explore` did not make the recording. */
  readonly search?:
    | {
        /** The name of the scenario. */
        readonly scenario: string;
        readonly profile?: string | undefined;
        /** The faults with which the scenario fails, one line each. */
        readonly schedule: readonly { readonly at: number; readonly fault: string }[];
        /** The number of faults that had been planned. */
        readonly faults: number;
        /** A shell command that repeats the run. */
        readonly replay: string;
      }
    | undefined;
}

/** Returns the recording of a simulation. */
export function recordingOf(
  {
    seed,
    level,
    trace: { hash },
  }: {
    readonly seed: number;
    readonly level: SimulationLevel;
    readonly trace: { readonly hash: string };
  },
  recorded: RecordedEvents,
  error: unknown,
): Recording {
  const head = { format: 'trunkline-recording', version: 1, seed, level, hash } as const;
  if (error === undefined) return { ...head, ...recorded };
  return { ...head, failure: failureOf(error, recorded.at), ...recorded };
}

/** Describes an error at a virtual time. */
export function failureOf(error: unknown, now: number): NonNullable<Recording['failure']> {
  const isOwn = error instanceof SimulationError;
  const text = isOwn ? messageWithoutMoment(error) : describeError(error);
  const message = text.split('\n', 1)[0]!;
  const violation = violationIn(error);
  return {
    ...(isOwn && { rule: error.invariant }),
    message,
    ...(text !== message && { text }),
    at: violation?.at ?? (isOwn ? error.at : now),
    ...(violation && { operations: violation.operations }),
  };
}
