// Observing: what interceptors, metrics and spans cost, beside the same calls that nobody observes,
// right before or after them, in fresh processes.

import { checkoutOf } from './arguments.ts';
import { ratioBar } from './bars.ts';
import { type Bar, type Row, taskOf } from './benchmark.ts';
import { names, text } from './flags.ts';
import { measurePair } from './pair.ts';
import { runBenchmark } from './run.ts';
import { medianInterval } from './statistics.ts';

const CARRIERS = ['inmem', 'tcp'] as const;
const PLAIN = 'plain';
/** The plain calls of another checkout. */
const BEFORE = 'plain, the checkout before';
/** The ways to be observed by the suffix of their adapters, and the scenarios that they run. */
const OBSERVED: Readonly<Record<string, readonly [suffix: string, scenarios: string]>> = {
  'two interceptors at each end': ['-interceptors', 's1 s2 s3'],
  metrics: ['-metrics', 's2'],
  'spans, 1 % sampled': ['-spans-1', 's2'],
  'spans, all sampled': ['-spans-100', 's2'],
};
/** The ratio that counts as no cost, and the part of the rate that metrics must leave. */
const FREE = 0.98;
const METRICS = 0.8;

await runBenchmark({
  name: 'observing',
  rounds: 21,
  window: 1_500,
  flags: {
    before: text(
      '<folder>',
      'also compares calls that nobody observes with those of another checkout, which is built',
    ),
    carrier: names('measures only these', CARRIERS),
  },
  plan({ before, carrier: carriers, window }) {
    const checkout = before && checkoutOf(before);
    const tasks = ['s1', 's2', 's3'].flatMap((scenario) =>
      carriers.flatMap((carrier) => {
        const measured = (row: Omit<Row, 'group'>, suffix = '', from?: string) =>
          taskOf({ group: `${scenario}, ${carrier}`, ...row }, () => {
            const what = { scenario, warmUp: window, window, checkout: from };
            return measurePair(`trunkline-${carrier}${suffix}`, what);
          });
        return [
          ...(checkout === undefined ? [] : [measured({ name: BEFORE }, '', checkout)]),
          measured({ name: PLAIN, against: checkout === undefined ? undefined : BEFORE }),
          ...Object.entries(OBSERVED)
            .filter(([, [, scenarios]]) => scenarios.includes(scenario))
            .map(([name, [suffix]]) => measured({ name, against: PLAIN }, suffix)),
        ];
      }),
    );
    return {
      tasks,
      figuresOf: () => [
        { key: 'rate', unit: 'calls/s' },
        { key: 'cpu', unit: 'CPU ns', compared: 'difference' },
      ],
      bars: tasks.flatMap(({ rows }) => rows).flatMap(barsOf),
    };
  },
});

function barsOf(row: Row): Bar[] {
  const { group, name, against } = row;
  if (against === undefined || name.startsWith('spans')) return [];
  const title = `${group}: ${name} ÷ ${against}`;
  if (name === 'metrics') {
    const bar = `${title}, the rate at least ${METRICS}`;
    return [{ ...ratioBar('rate', row, { least: METRICS }), bar }];
  }
  const bar = `${title}, the 95 % interval of the rate reaches ${FREE}`;
  const combine: Bar['combine'] = (values) => medianInterval(values)?.[1];
  return [{ ...ratioBar('rate', row, { least: FREE }), bar, combine }];
}
