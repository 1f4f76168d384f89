// Runs a reduced evaluation (a thousand nodes instead of ten thousand, a few cycles, one seed) and
// tests how results are formatted and judged.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@trunkline/bench/testing/run';
import test from 'ava';
import { formatDocument, formatText } from './gossip/document.ts';
import type { Job, Result } from './gossip/job.ts';
import { jobsOf, PARTS } from './gossip/jobs.ts';
import { SECTIONS } from './gossip/parts.ts';
import { runAll } from './gossip/pool.ts';
import { Sample } from './gossip/sample.ts';
import { scaleOf } from './gossip/scale.ts';
import { formatSvg } from './plot.ts';

const nodes = 1_000;
const seed = 1;
const scale = scaleOf({ nodes, seeds: 1, large: false });
const figuresOf = async (job: Omit<Job, 'seed'>) =>
  (await runAll([{ ...job, seed }], { workers: 1 }))[0]!.figures;

test.serial('a thousand nodes: the graph, and failures noticed at once', async (t) => {
  t.timeout(SLOW);
  const lot = await figuresOf({ scenario: 'seen', nodes, share: 0.8, book: 0, cycles: 20 });
  t.true(lot['clustering']! < 0.008 && lot['path']! < 4.9 && lot['symmetric']! >= 0.995);
  t.is(lot['parts'], 1);
  t.true(lot['reliability']! >= 0.9999);
  const most = await figuresOf({ scenario: 'seen', nodes, share: 0.95, book: 100, cycles: 20 });
  t.true(most['reliability']! >= 0.95);
});

test.serial(
  'a thousand nodes: unnoticed failures are repaired within a cycle of keep-alives',
  async (t) => {
    t.timeout(SLOW);
    const figures = await figuresOf({ scenario: 'unseen', nodes, share: 0.8, how: 'keep-alive' });
    t.true(figures['before']! < 0.5);
    t.true(figures['nearly']! <= 1 && figures['whole']! <= 2);
  },
);

test.serial('a thousand nodes: trees in stable state stay within all limits', async (t) => {
  t.timeout(SLOW);
  const results = await runAll(jobsOf('trees', scale), { workers: 1 });
  const { verdicts } = SECTIONS.trees(new Sample(results), scale);
  t.deepEqual(
    verdicts.filter(({ holds }) => !holds),
    [],
  );
});

test.serial(
  'a thousand nodes: messages lost after unnoticed failures are delivered once those are noticed',
  async (t) => {
    t.timeout(SLOW);
    const noticed = await figuresOf({
      scenario: 'mending',
      nodes,
      share: 0.6,
      how: 'keep-alive',
      cycles: 20,
    });
    t.true(noticed['first']! < 1);
    t.like(noticed, { healed: 1, lost: 0, rounds: 1 });
    const written = await figuresOf({
      scenario: 'mending',
      nodes,
      share: 0.6,
      how: 'one',
      cycles: 20,
    });
    t.true(written['rounds']! <= 3 && written['redundancy 1']! > written['redundancy 3']!);
  },
);

test.serial('a thousand nodes: with 50 out and 50 in per cycle nothing is lost', async (t) => {
  t.timeout(SLOW);
  t.like(await figuresOf({ scenario: 'churn', nodes, cycles: 15 }), { missed: 0, parts: 1 });
});

test.serial('twenty whole nodes stay within the limits of iroh-gossip', async (t) => {
  t.timeout(SLOW);
  const small = { ...scale, swarms: [20], swarmSeeds: [1, 2, 3, 4] };
  const results = await runAll(jobsOf('swarm', small), { workers: 1 });
  t.true(new Sample(results).of({ how: 'one' }).sum('steady rounds') > 0);
  t.deepEqual(
    SECTIONS.swarm(new Sample(results), small).verdicts.filter(({ holds }) => !holds),
    [],
  );
});

test.serial(
  'the same seed gives the same figures, and figures that a file has are not measured again',
  async (t) => {
    t.timeout(SLOW);
    const folder = mkdtempSync(join(tmpdir(), 'evaluation-'));
    const file = join(folder, 'results');
    const job = { scenario: 'mending', seed, nodes: 200, share: 0.5, how: 'many', cycles: 10 };
    const [first] = await runAll([job], { workers: 1, file });
    const [again] = await runAll([job], { workers: 1, file });
    t.deepEqual(again, first);
    t.is(readFileSync(file, 'utf8').trim().split('\n').length, 1);
    t.deepEqual((await runAll([job], { workers: 1 }))[0]!.figures, first!.figures);
    rmSync(folder, { recursive: true });
  },
);

test('the document has every part, and a part without figures does not meet its limits', (t) => {
  const none: Result[] = [];
  const sections = PARTS.map((part) => SECTIONS[part](new Sample(none), scale));
  for (const { title, verdicts } of sections) {
    t.true(verdicts.length > 0, title);
    t.true(
      verdicts.every(({ bar, got, holds }) => !holds || (bar.includes('missed') && got === '0')),
      title,
    );
  }
  const document = formatDocument(sections, {
    command: 'pnpm evaluate gossip',
    node: '20',
    machine: '2 cores',
    hours: 1,
  });
  for (const { title, plots } of sections) {
    t.true(document.includes(`\n## ${title}\n`));
    for (const plot of plots) t.true(document.includes(`(gossip-evaluation/${plot.name}.svg)`));
  }
  t.regex(formatText(sections), /^MISSED /m);
});

test('a plot is an SVG with its axes, units and legend', (t) => {
  const svg = formatSvg({
    name: 'x',
    title: 'a < b',
    x: { label: 'failed, %', from: 0, to: 100, ticks: [0, 100] },
    y: { label: 'reached', from: 0, to: 1, ticks: [0, 1] },
    series: [
      {
        label: 'ours & theirs',
        points: [
          [0, 1],
          [100, 0],
        ],
      },
    ],
  });
  t.regex(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"/);
  for (const text of ['a &lt; b', 'failed, %', 'reached', 'ours &amp; theirs'])
    t.true(svg.includes(`>${text}<`), text);
  t.true(svg.includes('d="M64 36L624 316"'));
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [options, message] of [
    [['--only', 'nothing'], /--only: there is no 'nothing'/],
    [['--nodes', '10'], /--nodes: must be at least 1000, got 10/],
  ] as const) {
    const { code, errors } = await run(new URL('./gossip.js', import.meta.url).href, ...options);
    t.is(code, 2);
    t.regex(errors, message);
    t.regex(errors, /^usage: /m);
  }
});

/** A timeout in milliseconds for a busy machine; usually a test takes 1 s to 10 s. */
const SLOW = 300_000;
