// Formats the cost of observing: the ratios of calls a second, with their intervals, and the CPU
// time that a call takes more.

import type { Verdict } from '../bars.ts';
import { median, medianInterval } from '../statistics.ts';
import type { Figures } from '../stopwatch.ts';
import { round3 } from '../table.ts';
import type { Measured, What } from './measure.ts';
import type { Carrier } from './options.ts';

/** The figures of a row, over all rounds. */
export interface ObservingFigures {
  readonly carrier: Carrier;
  readonly scenario: string;
  readonly what: What;
  /** The median of the calls a second. */
  readonly rate: number;
  /** The ratio of the calls a second to those of the plain calls of the round: median. */
  readonly ratio: number;
  /** The 95 % interval of that median; undefined with less than six rounds. */
  readonly interval: readonly [number, number] | undefined;
  /** Nanoseconds of CPU that a call takes more, at both ends together: median. */
  readonly cpu: number | undefined;
}

export function summarize(measured: readonly Measured[]): ObservingFigures[] {
  return measured.map(({ carrier, scenario, what, rounds }) => {
    const ratios = rounds.map(({ observed, plain }) => observed.rate / plain.rate);
    const cpu = rounds.flatMap(({ observed, plain }) => {
      const more = cpuOf(observed) - cpuOf(plain);
      return Number.isNaN(more) ? [] : [more];
    });
    return {
      carrier,
      scenario,
      what,
      rate: median(rounds.map(({ observed }) => observed.rate)),
      ratio: median(ratios),
      interval: medianInterval(ratios),
      cpu: cpu.length === 0 ? undefined : median(cpu),
    };
  });
}

/** Returns the cells of the table, the head first; the first three columns are texts. */
export function tableOf(summary: readonly ObservingFigures[]): string[][] {
  return [
    ['', '', '', 'calls/s', '÷ plain', '95 %', 'CPU ns more'],
    ...summary.map(({ carrier, scenario, what, rate, ratio, interval, cpu }) => [
      TITLES[what],
      CARRIERS[carrier],
      scenario,
      round3(rate),
      ratio.toFixed(3),
      interval === undefined ? '' : interval.map((end) => end.toFixed(3)).join(' to '),
      cpu === undefined ? '' : round3(cpu),
    ]),
  ];
}

/**
 * Returns the cells of a short table, the head first: a row for each way to be observed, without
 * the comparison with another checkout.
 */
export function shortTableOf(summary: readonly ObservingFigures[]): string[][] {
  const shown = summary.filter(({ what }) => what !== 'off');
  const places = [...new Set(shown.map(placeOf))];
  return [
    ['', ...places],
    ...[...new Set(shown.map(({ what }) => what))].map((what) => [
      TITLES[what],
      ...places.map((place) => {
        const found = shown.find((each) => each.what === what && placeOf(each) === place);
        if (found === undefined) return '';
        const { ratio, interval, cpu } = found;
        return [
          ratio.toFixed(2),
          ...(interval === undefined
            ? []
            : [`(${interval.map((end) => end.toFixed(2)).join('–')})`]),
          ...(cpu === undefined ? [] : [`${round3(cpu)} ns`]),
        ].join(' ');
      }),
    ]),
  ];
}

export function judge(summary: readonly ObservingFigures[]): Verdict[] {
  return summary.flatMap(({ carrier, scenario, what, ratio, interval }): Verdict[] => {
    const name = `${scenario}, ${CARRIERS[carrier]}, ${TITLES[what]}`;
    if (FREE.has(what))
      return interval === undefined
        ? []
        : [
            {
              bar: `${name}: the 95 % interval of the rate ÷ plain reaches ${FREE_RATIO}`,
              ratio: interval[1],
              holds: interval[1] >= FREE_RATIO,
            },
          ];
    return what === 'metrics'
      ? [{ bar: `${name}: rate ÷ plain at least ${METRICS}`, ratio, holds: ratio >= METRICS }]
      : [];
  });
}

function placeOf({ carrier, scenario }: ObservingFigures): string {
  return `${CARRIERS[carrier]}, ${scenario}`;
}

function cpuOf({ clientCpu, serverCpu = 0 }: Figures): number {
  return clientCpu === undefined ? Number.NaN : clientCpu + serverCpu;
}

const TITLES: Readonly<Record<What, string>> = {
  off: 'nothing, ÷ the checkout before',
  interceptors: 'two interceptors at each end',
  metrics: 'metrics',
  'spans-1': 'spans, 1 % sampled',
  'spans-100': 'spans, all sampled',
};
const CARRIERS: Readonly<Record<Carrier, string>> = { inmem: 'memory', tcp: 'TCP' };
/** The things that must cost nothing, and the ratio that counts as nothing. */
const FREE: ReadonlySet<What> = new Set(['off', 'interceptors']);
const FREE_RATIO = 0.98;
/** The part of the rate that metrics must leave. */
const METRICS = 0.8;
