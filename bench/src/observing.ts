// Observing: what interceptors, metrics and spans cost, beside the same calls that nobody observes,
// right before or after them, in fresh processes.

import { checkoutOf } from './arguments.ts';
import { type Bar, type Figures, type Row, taskOf } from './benchmark.ts';
import { names, text } from './flags.ts';
import { measurePair } from './pair.ts';
import { runBenchmark } from './run.ts';
import { medianInterval } from './statistics.ts';
import { figureOf } from './summary.ts';

const CARRIERS = ['inmem', 'tcp'] as const;
const PLAIN = 'plain';
/** The plain calls of another checkout. */
const BEFORE = 'plain, the checkout before';
/** The ways to be observed by the suffix of their adapters, and the scenarios that they run. */
const OBSERVED = {
  'two interceptors at each end': ['interceptors', ['s1', 's2', 's3']],
  metrics: ['metrics', ['s2']],
  'spans, 1 % sampled': ['spans-1', ['s2']],
  'spans, all sampled': ['spans-100', ['s2']],
} as const;
/** The ratio that counts as no cost, and the part of the rate that metrics must leave. */
const FREE = 0.98;
const METRICS = 0.8;

await runBenchmark({
  name: 'observing',
  summary: 'Exit code 1 if a bar is missed.',
  rounds: 21,
  window: 1_500,
  isPublished: true,
  flags: {
    before: text(
      '<folder>',
      'also compares calls that nobody observes with those of another checkout, which is built',
    ),
    carrier: names('measures only these', CARRIERS),
  },
  plan({ before, carrier: carriers, window }) {
    const checkout = before && new URL('bench/dist/', checkoutOf(before)).href;
    const places = ['s1', 's2', 's3'].flatMap((scenario) =>
      carriers.map((carrier) => ({ scenario, carrier, group: `${scenario}, ${carrier}` })),
    );
    const rows = places.flatMap(({ scenario, carrier, group }): Measured[] => {
      const plain = { group, name: PLAIN };
      const base = `trunkline-${carrier}`;
      const observed = Object.entries(OBSERVED)
        .filter(([, [, scenarios]]) => (scenarios as readonly string[]).includes(scenario))
        .map(([name, [suffix]]) => ({
          row: { group, name, against: plain },
          adapter: `${base}-${suffix}`,
          scenario,
        }));
      const older = { group, name: BEFORE };
      return [
        ...(checkout === undefined ? [] : [{ row: older, adapter: base, scenario, checkout }]),
        {
          row: { ...plain, against: checkout === undefined ? undefined : older },
          adapter: base,
          scenario,
        },
        ...observed,
      ];
    });
    return {
      rows: rows.map(({ row }) => row),
      tasks: rows.map(({ row, adapter, scenario, ...other }) =>
        taskOf(row, row.group, async (): Promise<Figures> => {
          const setting = { warmUp: window, window, ...other };
          const measured = await measurePair(adapter, scenario, setting);
          const { rate, clientCpu, serverCpu = 0 } = measured;
          return { rate, cpu: clientCpu === undefined ? undefined : clientCpu + serverCpu };
        }),
      ),
      figuresOf: () => [
        { key: 'rate', unit: 'calls/s' },
        { key: 'cpu', unit: 'CPU ns', compared: 'difference' },
      ],
      bars: rows.flatMap(({ row }) => (row.against === undefined ? [] : barsOf(row))),
    };
  },
});

interface Measured {
  readonly row: Row;
  readonly adapter: string;
  readonly scenario: string;
  readonly checkout?: string;
}

function barsOf(row: Row): Bar[] {
  const value: Bar['value'] = (round) => {
    const [own, other] = [row, row.against!].map((each) => figureOf(round, each, 'rate'));
    return own === undefined || other === undefined ? undefined : own / other;
  };
  const name = `${row.group}: ${row.name} ÷ ${row.against!.name}`;
  if (row.name === 'metrics')
    return [{ bar: `${name}, the rate at least ${METRICS}`, value, least: METRICS }];
  if (row.name.startsWith('spans')) return [];
  return [
    {
      bar: `${name}, the 95 % interval of the rate reaches ${FREE}`,
      value,
      combine: (values) => medianInterval(values)?.[1],
      least: FREE,
    },
  ];
}
