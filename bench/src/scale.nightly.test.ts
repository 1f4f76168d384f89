// Tests the benchmark of scale: a short run, its tables and its plots.

import test from 'ava';
import { formatSvg } from './plot.ts';
import type { Measured, PointFigures } from './scale/point.ts';
import { formatMarkdown, formatText, plotsOf } from './scale/report.ts';
import { summarize } from './scale/summary.ts';
import { run } from './testing/run.ts';

test('a smoke run measures each part over both carriers', async (t) => {
  const { code, output, errors } = await run('scale.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { scale } = JSON.parse(output);
  const names = scale.map(({ part, at, carrier }: Measured) => `${part} ${at} ${carrier}`).sort();
  t.deepEqual(
    names,
    ['connections 1', 'connections 20', 'flight 1', 'flight 8', 'sizes 0', 'sizes 1024'].flatMap(
      (point) => [`${point} limit-net`, `${point} trunkline-tcp`],
    ),
  );
  for (const { figures, carrier, ratio } of scale) {
    t.true(figures.rate > 0);
    t.is(ratio !== undefined, carrier === 'trunkline-tcp');
  }
});

test('points are medians, and their ratios compare the same round', (t) => {
  const rounds = [round(100, 50), round(1_000, 900), round(200, 120)];
  const [limit, ours] = summarize(rounds);
  t.is(limit!.figures.rate, 200);
  t.is(limit!.ratio, undefined);
  t.is(ours!.figures.rate, 120);
  t.is(ours!.ratio, 0.6);
  t.is(ours!.figures.rss, undefined);
});

test('tables name their points, for a terminal and as Markdown', (t) => {
  const summaries = summarize([
    [...round(2_000, 1_000), ...round(4, 3, { part: 'sizes', at: 67_108_864, bulk: 268 })],
  ]);
  t.is(
    formatText(summaries.slice(0, 2)),
    [
      '64 bytes echoed, one connection',
      'in flight  carried by     calls/s  client CPU, ns per call  server CPU, ns per call  ÷ limit-net',
      '128        limit-net        2,000                                               500',
      '128        trunkline-tcp    1,000                                               500         0.50',
    ].join('\n'),
  );
  t.regex(
    formatMarkdown(summaries),
    /^\| 64 MiB \| trunkline-tcp \| 3 \| 268 \| {2}\| 500 \| 0\.75 \|$/m,
  );
});

test('a plot has a line for each carrier, a logarithmic axis and evenly spaced points', (t) => {
  const summaries = summarize([
    [...round(1_000, 100, { at: 1 }), ...round(100_000, 10_000, { at: 128 })],
  ]);
  const [plot, none] = plotsOf(summaries);
  t.is(none, undefined);
  t.is(plot!.name, 'scale-flight');
  t.deepEqual(
    plot!.series.map(({ label, points }) => [label, points]),
    [
      [
        'limit-net',
        [
          [0, 3],
          [1, 5],
        ],
      ],
      [
        'trunkline-tcp',
        [
          [0, 2],
          [1, 4],
        ],
      ],
    ],
  );
  const svg = formatSvg(plot!);
  for (const text of ['128', '100', '100,000', 'in flight', 'calls/s'])
    t.true(svg.includes(`>${text}<`), text);
});

test('a value of 0 is left out of the plot because it has no logarithm', (t) => {
  const summaries = summarize([
    [...round(5, 4, { part: 'sizes', at: 0 }), ...round(5, 4, { part: 'sizes', at: 64, bulk: 1 })],
  ]);
  t.deepEqual(plotsOf(summaries)[0]!.series[0]!.points, [[0, 0]]);
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [args, named] of [
    [['--only', 'weight'], /--only: .*'weight'/],
    [['--sizes', '4'], /--sizes: .*'4'/],
    [['--in-flight', '8,8'], /--in-flight: .*'8,8'/],
    [['--connections', '4000000000'], /open files/],
  ] as const) {
    const { code, errors } = await run('scale.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});

function round(
  limit: number,
  ours: number,
  { part = 'flight', at = 128, bulk }: Partial<Omit<Measured, 'figures'> & PointFigures> = {},
): Measured[] {
  return [
    { part, at, carrier: 'limit-net', figures: { rate: limit, bulk, serverCpu: 500 } },
    { part, at, carrier: 'trunkline-tcp', figures: { rate: ours, bulk, serverCpu: 500 } },
  ];
}
