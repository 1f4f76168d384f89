// The outcome of an attack, and the conditions that it violated.

import type { Attack } from './attack.ts';
import type { Carrier } from './carriers.ts';
import type { HonestReport } from './honest.ts';
import { leftOver } from './settle.ts';
import type { VictimReport } from './victim.ts';

/**
 * The quantity that a run measures. The victims differ in their flags for V8 (warm-up.ts), so each
 * attack is run once for each.
 */
export type Quantity = 'times' | 'memory';

export const QUANTITIES: readonly Quantity[] = ['times', 'memory'];

export interface Outcome {
  readonly attack: string;
  /** The carrier, or the part that a scenario attacks. */
  readonly carrier: string;
  /** Bytes by which the victim's memory grew at most, and by which it may grow. */
  readonly growth: number;
  readonly bound: number;
  /**
   * The 99th percentile of the honest peer's calls in milliseconds, in the control and during the
   * attack.
   */
  readonly control: number;
  readonly during: number;
  /**
   * The longest delay of the victim's event loop in milliseconds by the clock, and the part that
   * the victim computed itself.
   */
  readonly delay: number;
  readonly busy: number;
  readonly answer: string;
  /** Violated conditions; empty if everything held. */
  readonly flaws: readonly string[];
}

/** Joins the outcomes of the two runs of an attack. */
export function joined(times: Outcome, memory: Outcome): Outcome {
  return {
    ...times,
    growth: memory.growth,
    answer: memory.flaws.length > 0 && times.flaws.length === 0 ? memory.answer : times.answer,
    flaws: [...new Set([...times.flaws, ...memory.flaws])],
  };
}

export interface Measured {
  readonly attack: Attack;
  readonly carrier: Carrier;
  readonly answer: string;
  /** The victim's reports before and after the attack; `after` is undefined if it died. */
  readonly base: VictimReport;
  readonly after: VictimReport | undefined;
  /**
   * The honest peer's reports, one of each for every round. Rounds alternate between control and
   * attack, so that a machine that is slow for a while is slow for both.
   */
  readonly control: readonly HonestReport[];
  readonly during: readonly HonestReport[];
}

/** Returns the 99th percentile in milliseconds of all calls of these reports. */
export function p99Of(reports: readonly HonestReport[]): number {
  const times = reports.flatMap((report) => [...report.times]).sort((a, b) => a - b);
  return (
    times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? Number.POSITIVE_INFINITY
  );
}

/** Returns the violated conditions of a run that measured `quantity`. */
export function flawsOf(measured: Measured, quantity: Quantity): string[] {
  const { after, during } = measured;
  if (after === undefined) return ['the process crashed'];
  const counted = countedFlawsOf(measured);
  return [
    ...(quantity === 'memory'
      ? counted
      : [...counted.filter((flaw) => !isOfMemory(flaw)), ...slownessOf(measured)]),
    ...during.flatMap((report) => [
      ...failures('small', report.failed),
      ...failures('long', report.longFailed),
    ]),
  ];
}

function slownessOf({ attack, carrier, after, control, during }: Measured): string[] {
  const [p99, base] = [p99Of(during), p99Of(control)];
  const ratio = p99 / base;
  const bound = boundOf(attack, carrier);
  // As much longer as the controls take on this machine.
  const most = bound && bound * Math.min(Math.max(base / CONTROL, 1), SLOWEST);
  return [
    ...(most === undefined && ratio > MOST_RATIO
      ? [`p99 of honest calls is ${ratio.toFixed(1)} times that of the control`]
      : []),
    ...(most !== undefined && p99 > most
      ? [`p99 of honest calls is ${p99.toFixed(1)} ms, above its bound of ${most.toFixed(1)} ms`]
      : []),
    ...(heldUp(after!) > MOST_DELAY
      ? [`the event loop was blocked for ${heldUp(after!).toFixed(0)} ms`]
      : []),
  ];
}

/** Returns the bound in milliseconds; undefined if the ratio is bounded. */
function boundOf({ bound }: Attack, carrier: Carrier): number | undefined {
  const isTls = carrier === 'tls' || carrier === 'wss';
  return (isTls ? bound?.overTls : undefined) ?? bound?.milliseconds;
}

/**
 * Returns the violated conditions on memory, counts and answers, which do not depend on the load of
 * the machine.
 */
export function countedFlawsOf({
  attack,
  answer,
  base,
  after,
}: Pick<Measured, 'attack' | 'answer' | 'base' | 'after'>): string[] {
  if (after === undefined) return ['the process crashed'];
  const growth = after.peak - base.rss;
  const bound = attack.memory ?? 0;
  const left = leftOver(after, base);
  return [
    ...(growth > bound + SLACK
      ? [`memory grew by ${mib(growth)} MiB, above its bound of ${mib(bound)} plus ${mib(SLACK)}`]
      : []),
    ...(attack.answer.test(answer)
      ? []
      : [`the answer is '${answer}', not ${attack.answer.source}`]),
    ...(left === '' ? [] : [`left behind: ${left}`]),
    ...unsafe(after),
  ];
}

/** Tells whether a flaw concerns the ratio of the honest peer's times. */
export function isOfRatio(flaw: string): boolean {
  return flaw.startsWith('p99 of');
}

/** Tells whether a flaw concerns memory. */
export function isOfMemory(flaw: string): boolean {
  return flaw.startsWith('memory grew');
}

/**
 * Returns the delay that the victim itself caused, without the time that other programs used its
 * core.
 */
export function heldUp({ delay, busy }: VictimReport): number {
  return busy === undefined ? delay : Math.min(delay, busy);
}

/** Finds a text for people that is not safe to show; only a snapshot may have line breaks. */
function unsafe({ texts, snapshot }: VictimReport): string[] {
  const flawed = [...texts, snapshot.replaceAll('\n', '')].find(
    (text) => UNSAFE.test(text) || text.length > LONGEST_TEXT,
  );
  return flawed === undefined
    ? []
    : [`a text contains unsafe characters: ${JSON.stringify(flawed.slice(0, 200))}`];
}

function failures(what: string, failed: Readonly<Record<string, number>>): string[] {
  return Object.entries(failed).map(
    ([code, count]) => `${count} ${what} honest calls failed: ${code}`,
  );
}

export function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

/** Characters that move a cursor, break a line or change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
/**
 * The most characters of a text: far above an error message that quotes 1 KiB, because a snapshot
 * grows with the connections.
 */
const LONGEST_TEXT = 65_536;
/** Bytes by which memory may grow beyond the documented bound. */
export const SLACK = 16 * 2 ** 20;
export const MOST_RATIO = 3;
/**
 * The 99th percentile of controls, in milliseconds, up to which a bound in milliseconds holds as it
 * is. On a slower or busier machine it is longer in proportion, up to `SLOWEST` times.
 */
export const CONTROL = 3;
export const SLOWEST = 2;
/** In milliseconds. */
const MOST_DELAY = 100;
