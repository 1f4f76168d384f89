// How a certificate is named and dated: options, their defaults, and what follows from them.

import { integer, optional, optionsSchema, parseOptions, type Random, reference, systemRandom } from '@trunkline/transport-core';
import { source, wallClock } from './option-fields.ts';
import { isoTime, systemWallClock, type WallClock, type WallTime } from './wall-clock.ts';

/** All may be left out. A wrong one is a TypeError that names it. */
export interface CertificateOptions {
  /** The common name, 1 to 64 characters, for people: nothing is decided by it. Default: the node id; an authority's: 'Trunkline CA' and 16 digits of it. */
  readonly name?: string | undefined;
  /**
   * For how long it is valid, from now or from `notBefore`: 1 to 36,500 days. Default 90, as Let's Encrypt has it: renewal is then a habit
   * that works, and a stolen key is of use for a season. An authority's 3,650, as kubeadm has it: its certificate is in every node's
   * configuration, and hard to replace.
   */
  readonly days?: number | undefined;
  /** Default: an hour before now, for nodes whose clocks are behind; Let's Encrypt does the same. Whole seconds. */
  readonly notBefore?: WallTime | undefined;
  /** Instead of `days`. Whole seconds. */
  readonly notAfter?: WallTime | undefined;
  /** What tells the date. Default: the machine's own; an authority's `issue`: the authority's. */
  readonly clock?: WallClock | undefined;
  /** What the serial number is drawn from. Default `systemRandom`; an authority's `issue`: the authority's. */
  readonly random?: Random | undefined;
}

/** What was given, checked and complete. */
export interface CertificateTerms {
  readonly name: string | undefined;
  /** Milliseconds since 1970, whole seconds; so is `notAfter`. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** No end was asked for: `notAfter` is the default. */
  readonly isDefaultEnd: boolean;
  readonly clock: WallClock;
  readonly random: Random;
}

/** What holds where an option is left out. */
export interface CertificateDefaults {
  readonly days: number;
  readonly clock?: WallClock | undefined;
  readonly random?: Random | undefined;
}

/** `caller` is whom a TypeError names. */
export function certificateTerms(options: CertificateOptions, defaults: CertificateDefaults, caller: string): CertificateTerms {
  const given = parseOptions(certificateOptions, options, caller);
  const { name, days, notBefore, notAfter } = given;
  const { clock = defaults.clock ?? systemWallClock, random = defaults.random ?? systemRandom } = given;
  if (days !== undefined && notAfter !== undefined) throw new TypeError(`${caller}: days, notAfter: give one of them, not both`);
  const now = clock.date().getTime();
  const begin = wholeSeconds(notBefore?.getTime() ?? now - BACKDATING);
  const end = wholeSeconds(notAfter?.getTime() ?? (notBefore?.getTime() ?? now) + (days ?? defaults.days) * DAY);
  if (end <= begin) throw new TypeError(`${caller}: notAfter: must be after notBefore (${isoTime(begin)}), got ${isoTime(end)}`);
  return { name, notBefore: begin, notAfter: Math.min(end, LATEST), isDefaultEnd: days === undefined && notAfter === undefined, clock, random };
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000) * 1_000;
}

function isDate(value: unknown): boolean {
  if (Object.prototype.toString.call(value) !== '[object Date]') return false;
  const time = (value as WallTime).getTime();
  return time >= EARLIEST && time < LATEST + 1_000;
}

/** Two digits of a year mean 1950 to 2049, four any up to 9999 (RFC 5280 §4.1.2.5). */
const EARLIEST = -631_152_000_000;
const LATEST = 253_402_300_799_000;
const DAY = 86_400_000;
const BACKDATING = 3_600_000;

const date = () => optional(reference<WallTime>(isDate, 'a Date from the year 1950 to 9999'));

const certificateOptions = optionsSchema({
  name: optional(
    reference<string>(
      (value) => typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,64}$/u.test(value),
      'a string of 1 to 64 characters, none of them a control character',
    ),
  ),
  days: optional(integer(1, 36_500)),
  notBefore: date(),
  notAfter: date(),
  clock: wallClock(),
  random: source(),
});
