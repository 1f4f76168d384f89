// The options of `resume`: how long it tries, and how long it waits between attempts.

import type { CallOptions } from '@trunkline/transport-core';
import {
  fieldsOf,
  option,
  optionsSchema,
  parseOptions,
  type TextFields,
} from '@trunkline/transport-core/backend';

/** Options of `resume`. */
export interface ResumeOptions {
  /**
   * The time, in milliseconds, after which the stream ends with `deadline_exceeded`, counted over
   * all attempts. Default `Infinity`. The timeout of the method still bounds each wait for an item.
   */
  readonly timeout?: number | undefined;
  /**
   * Maximum number of consecutive attempts that yield no item, including the first. After the last
   * one, its error is thrown. A connection that lasts longer than `maxBackoff` resets the count.
   * Default 20, whose pauses add up to 66 to 133 s.
   */
  readonly attempts?: number | undefined;
  /**
   * The pause before the next attempt, in milliseconds. Default 100. It is doubled after each
   * consecutive failure, and shortened by up to a half at random, so that the clients of a server
   * do not all come back at the same time.
   */
  readonly initialBackoff?: number | undefined;
  /** The longest pause before an attempt, in milliseconds. Default 10,000. */
  readonly maxBackoff?: number | undefined;
  /** Ends the stream with `cancelled` when the signal aborts, even between two attempts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Metadata of each attempt, as for `send`. Resumption itself uses about 130 bytes of the 8 KiB.
   * The handler sees the metadata of the first attempt that reached it; rules (`allow`) and
   * interceptors see the metadata of each attempt.
   */
  readonly metadata?: CallOptions['metadata'];
}

/** The options with their defaults. */
export interface ResumeConfig {
  readonly timeout: number;
  readonly attempts: number;
  readonly initialBackoff: number;
  readonly maxBackoff: number;
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Checks the options of `resume`. @throws TypeError naming each invalid option. */
export function parseResumeOptions(options: ResumeOptions): ResumeConfig {
  const { metadata, ...given } = parseOptions(schema, options, 'resume');
  return { ...given, metadata: metadata && fieldsOf(metadata, 'resume: metadata') };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const isSignal = (value: unknown) => isObject(value) && 'aborted' in (value as object);

const schema = optionsSchema({
  timeout: option.withDefault(option.millisecondsOrNever(), Number.POSITIVE_INFINITY),
  attempts: option.withDefault(option.integer(1, Number.MAX_SAFE_INTEGER), 20),
  initialBackoff: option.withDefault(option.milliseconds(), 100),
  maxBackoff: option.withDefault(option.milliseconds(), 10_000),
  signal: option.optional(option.reference<AbortSignal>(isSignal, 'an AbortSignal')),
  metadata: option.optional(option.reference<TextFields>(isObject, 'an object of strings')),
});
