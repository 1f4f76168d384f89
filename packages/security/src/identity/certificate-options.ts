// The options that name and date a certificate, their defaults and their validation.

import { type Random, systemRandom } from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { source, wallClock } from './option-fields.ts';
import { isoTime, systemWallClock, type WallClock, type WallTime } from './wall-clock.ts';

/** Options of a certificate, all optional. An invalid one causes a TypeError that names it. */
export interface CertificateOptions {
  /**
   * The common name, 1 to 64 characters. It is only for people to read; nothing depends on it.
   * Default: the node id, or for an authority 'Trunkline CA' and 16 digits of its node id.
   */
  readonly name?: string | undefined;
  /**
   * The period of validity, in days from now or from `notBefore`: 1 to 36,500.
   *
   * The default for a node is 90, as with Let's Encrypt: renewal becomes a routine that works, and
   * a stolen key is useful only for a limited time. The default for an authority is 3,650, as with
   * kubeadm: its certificate is in every node's configuration and hard to replace.
   */
  readonly days?: number | undefined;
  /**
   * The start of validity, from 1950 to 9999; fractions of a second are cut off. Default: one hour
   * ago, as with Let's Encrypt, for nodes whose clocks are behind.
   */
  readonly notBefore?: WallTime | undefined;
  /**
   * The end of validity, after the start, from 1950 to 9999; fractions of a second are cut off. Use
   * either this or `days`.
   */
  readonly notAfter?: WallTime | undefined;
  /**
   * The source of the date. Default: the machine's clock; for an authority's `issue`, the
   * authority's source.
   */
  readonly clock?: WallClock | undefined;
  /**
   * The source of randomness for the serial number. Default `systemRandom`; for an authority's
   * `issue`, the authority's source.
   */
  readonly random?: Random | undefined;
}

/** The options after validation, with defaults filled in. */
export interface CertificateTerms {
  readonly name: string | undefined;
  /** Milliseconds since 1970, in whole seconds, like `notAfter`. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** True if no end was requested, so that `notAfter` is the default. */
  readonly isDefaultEnd: boolean;
  readonly clock: WallClock;
  readonly random: Random;
}

/** The values used for omitted options. */
export interface CertificateDefaults {
  readonly days: number;
  readonly clock?: WallClock | undefined;
  readonly random?: Random | undefined;
}

/** Validates options and fills in the defaults. A TypeError starts with `caller`. */
export function certificateTerms(
  options: CertificateOptions,
  defaults: CertificateDefaults,
  caller: string,
): CertificateTerms {
  const given = parseOptions(certificateOptions, options, caller);
  const { name, days, notBefore, notAfter } = given;
  const { clock = defaults.clock ?? systemWallClock, random = defaults.random ?? systemRandom } =
    given;
  if (days !== undefined && notAfter !== undefined)
    throw new TypeError(`${caller}: days, notAfter: give one of them, not both`);
  const now = clock.date().getTime();
  const begin = wholeSeconds(notBefore?.getTime() ?? now - BACKDATING);
  const end = wholeSeconds(
    notAfter?.getTime() ?? (notBefore?.getTime() ?? now) + (days ?? defaults.days) * DAY,
  );
  if (end <= begin)
    throw new TypeError(
      `${caller}: notAfter: must be after notBefore (${isoTime(begin)}), got ${isoTime(end)}`,
    );
  return {
    name,
    notBefore: begin,
    notAfter: Math.min(end, LATEST),
    isDefaultEnd: days === undefined && notAfter === undefined,
    clock,
    random,
  };
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000) * 1_000;
}

function isDate(value: unknown): boolean {
  if (Object.prototype.toString.call(value) !== '[object Date]') return false;
  const time = (value as WallTime).getTime();
  return time >= EARLIEST && time < LATEST + 1_000;
}

/**
 * The range of dates in a certificate: two-digit years mean 1950 to 2049, four-digit years go up to
 * 9999 (RFC 5280 §4.1.2.5).
 */
const EARLIEST = -631_152_000_000;
const LATEST = 253_402_300_799_000;
const DAY = 86_400_000;
const BACKDATING = 3_600_000;

const date = () =>
  option.optional(option.reference<WallTime>(isDate, 'a Date from the year 1950 to 9999'));

const certificateOptions = optionsSchema({
  name: option.optional(
    option.reference<string>(
      (value) => typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,64}$/u.test(value),
      'a string of 1 to 64 characters without control characters',
    ),
  ),
  days: option.optional(option.integer(1, 36_500)),
  notBefore: date(),
  notAfter: date(),
  clock: wallClock(),
  random: source(),
});
