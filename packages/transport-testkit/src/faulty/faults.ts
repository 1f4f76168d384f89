// The faults that a faulty network can have: their options, defaults and checks.

import type { Clock, Random } from '@trunkline/transport-core';
import {
  extendOptions,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';

/**
 * Faults of one direction of each connection, and of the dials of the wrapped end. An omitted
 * member stays as it is.
 */
export interface NetworkFaults {
  /**
   * Extra delay of each chunk, in milliseconds. A dial is delayed in both directions.
   * Default: 0.
   */
  readonly delay?: number | undefined;
  /**
   * Maximum random delay of each chunk in addition to `delay`, in milliseconds, drawn again each
   * time; the order of chunks never changes. Default: 0.
   */
  readonly jitter?: number | undefined;
  /**
   * Maximum rate of one direction of each connection, in bytes per second; the excess waits.
   * Default: `Infinity`.
   */
  readonly bandwidth?: number | undefined;
  /**
   * Maximum number of bytes that may wait in one direction of a connection before its writer has to
   * wait; those that `halfOpen` drops count, too. Connections that carry frames have no window.
   * Default: 1 MiB.
   */
  readonly window?: number | undefined;
  /**
   * True to hold up everything, including dials; once it is false again, everything arrives late
   * but in order. Default: false.
   */
  readonly stalled?: boolean | undefined;
  /**
   * Mean number of bytes between stalls, each of which lasts `stallTime`. Default: `Infinity`, no
   * stalls.
   */
  readonly stallEvery?: number | undefined;
  /** Duration of one stall, in milliseconds. Default: 1,000. */
  readonly stallTime?: number | undefined;
  /**
   * Mean number of bytes after which a connection is reset at both ends. Default: `Infinity`,
   * never.
   */
  readonly cutEvery?: number | undefined;
  /**
   * True to drop everything, including the notice that an end has closed, as if the other machine
   * had lost power. Dials never connect then. Once it is false again, each connection that has lost
   * something is reset. Default: false.
   */
  readonly halfOpen?: boolean | undefined;
  /**
   * Mean number of bytes between two altered bytes. Connections that carry frames have no bytes to
   * alter. Default: `Infinity`.
   */
  readonly corruptEvery?: number | undefined;
}

/** Options of `faulty`: the faults from the start, and the sources of time and randomness. */
export interface FaultyOptions extends NetworkFaults {
  /**
   * The integer that determines all random choices. Default: drawn from `random`, and available as
   * `seed`.
   */
  readonly seed?: number | undefined;
  /**
   * The clock. Default: for a backend, the transport's clock; for a layer, the layer's own clock or
   * the system clock.
   */
  readonly clock?: Clock | undefined;
  /** The source of the seed if none is given. Default: `systemRandom`. */
  readonly random?: Random | undefined;
}

/**
 * The direction as seen from the wrapped end: 'out' for data that it sends, 'in' for data that it
 * receives.
 */
export type FaultDirection = 'out' | 'in' | 'both';

/** The settings of all faults. */
export type FaultSettings = {
  readonly [K in keyof NetworkFaults]-?: NonNullable<NetworkFaults[K]>;
};

export const NO_FAULTS: FaultSettings = {
  delay: 0,
  jitter: 0,
  bandwidth: Number.POSITIVE_INFINITY,
  window: 1024 * 1024,
  stalled: false,
  stallEvery: Number.POSITIVE_INFINITY,
  stallTime: 1_000,
  cutEvery: Number.POSITIVE_INFINITY,
  halfOpen: false,
  corruptEvery: Number.POSITIVE_INFINITY,
};

/** Checks the options of `faulty`. @throws TypeError naming the invalid option. */
export function parseFaultyOptions(options: FaultyOptions): FaultyOptions {
  return parseOptions(optionsOfFaulty, options, 'faulty') as FaultyOptions;
}

/** Returns `settings` changed by `faults`. @throws TypeError naming the invalid fault. */
export function changed(settings: FaultSettings, faults: NetworkFaults): FaultSettings {
  const given = parseOptions(schema, faults, 'faulty: set') as NetworkFaults;
  return {
    ...settings,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** Returns true if the settings let everything pass unchanged. */
export function isInert(settings: FaultSettings): boolean {
  const { window: _window, stallTime: _time, ...others } = settings;
  return Object.entries(others).every(
    ([name, value]) => value === NO_FAULTS[name as keyof FaultSettings],
  );
}

const isTime = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff;
const time = () =>
  option.optional(option.reference<number>(isTime, 'milliseconds from 0 to 2147483647'));
const amount = (rule: string) =>
  option.optional(
    option.reference<number>((value) => typeof value === 'number' && value > 0, rule),
  );
const flag = () =>
  option.optional(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
  );
const between = () => amount('a number of bytes above 0, or Infinity for never');

const schema = optionsSchema({
  delay: time(),
  jitter: time(),
  bandwidth: amount('bytes a second above 0, or Infinity'),
  window: option.optional(option.integer(1, 0x7fff_ffff)),
  stalled: flag(),
  stallEvery: between(),
  stallTime: time(),
  cutEvery: between(),
  halfOpen: flag(),
  corruptEvery: between(),
});

const CLOCK = ['now', 'setTimeout', 'clearTimeout', 'sleep', 'defer'];
const isClock = (value: unknown) =>
  CLOCK.every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function');

const optionsOfFaulty = extendOptions(schema, {
  seed: option.optional(option.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  clock: option.optional(
    option.reference<Clock>(
      isClock,
      'a Clock with the methods now, setTimeout, clearTimeout, sleep and defer',
    ),
  ),
  random: option.optional(option.callback<Random>()),
});
