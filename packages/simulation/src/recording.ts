// The recording of a run, as JSON: the format that `@trunkline/admin/replay` shows.

import { describeError } from './kernel/event-loop.ts';
import type { RecordedEvents } from './kernel/recorder.ts';
import { SimulationError } from './kernel/simulation-error.ts';
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
        /** Virtual milliseconds since the simulation began. */
        readonly at: number;
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
  const line = (text: string) => text.split('\n', 1)[0]!;
  if (!(error instanceof SimulationError)) return { message: line(describeError(error)), at: now };
  const { invariant: rule, message, at } = error;
  return { rule, message: line(message), at };
}
