// Tests the record behind docs/performance.md, and the document made from it.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { formatBars } from './bars-plot.ts';
import { formatDocument, formatPlots } from './performance/document.ts';
import { publish } from './performance/publish.ts';
import {
  formatRecord,
  type Machine,
  NOTHING,
  type PerformanceRecord,
  recordCalls,
  renewed,
  roundsOf,
  thisMachine,
} from './performance/record.ts';
import type { Round } from './rounds.ts';
import type { Figures } from './stopwatch.ts';

const MACHINE: Machine = { processor: 'Abacus 9', cores: 2, kernel: 'Linux 6.1', node: '20.20.2' };
const ROUNDS: Round[] = [100, 200, 400].map(
  (rate) =>
    new Map([
      [
        's2',
        row({
          'limit-net': { rate },
          'limit-net again': { rate: rate * 1.01 },
          'trunkline-tcp': { rate: rate / 2 },
          'grpc-js': { rate: rate / 100 },
        }),
      ],
      ['s1', row({ 'limit-net': { rate, p50: 50 }, 'trunkline-tcp': { rate, p50: 100 } })],
    ]),
);
const RECORD: PerformanceRecord = {
  calls: recordCalls(ROUNDS, MACHINE, 1_500),
  scale: {
    flight: {
      machine: MACHINE,
      window: 1_000,
      rounds: 3,
      points: [
        { part: 'flight', at: 8, carrier: 'limit-net', figures: { rate: 1_000 } },
        { part: 'flight', at: 8, carrier: 'trunkline-tcp', figures: { rate: 900 }, ratio: 0.9 },
      ],
    },
  },
  start: {
    machine: MACHINE,
    runs: 20,
    figures: [
      { name: 'bare Node', time: 40, cpu: 40, rss: 40, heap: 3 },
      { name: 'core + tcp', time: 70, cpu: 60, rss: 10, heap: 4 },
    ],
  },
  types: {
    machine: MACHINE,
    runs: 15,
    methods: 200,
    figures: [
      { name: 'plain functions', time: 400, ratio: 1 },
      { name: 'trunkline', time: 640, ratio: 1.6 },
    ],
  },
};

test('a record contains the rounds that it was made of', (t) => {
  t.deepEqual(
    roundsOf(RECORD.calls),
    ROUNDS.map(
      (round) => new Map([...round].sort(([a], [b]) => Number(a === 's1') - Number(b === 's1'))),
    ),
  );
  t.deepEqual(JSON.parse(formatRecord(RECORD)), RECORD);
  t.regex(formatRecord({ ...RECORD, start: { ...RECORD.start!, runs: 65_537 } }), /65537/);
  t.is(
    JSON.parse(
      formatRecord({
        ...RECORD,
        calls: recordCalls([new Map([['s2', row({ x: { rate: 123_456.7 } })]])], MACHINE, 1),
      }),
    ).calls.s2.rounds[0].x.rate,
    123_500,
  );
});

test('a new measurement replaces its part and nothing else', (t) => {
  const now = recordCalls(
    [new Map([['s1', row({ 'limit-net': { rate: 7 } })]])],
    { ...MACHINE, node: '24.0.0' },
    1_500,
  );
  const after = renewed(RECORD, { calls: now });
  t.is(after.calls['s1'], now['s1']);
  t.is(after.calls['s2'], RECORD.calls['s2']);
  t.is(after.start, RECORD.start);
  t.deepEqual(after.scale, RECORD.scale);
  t.deepEqual(renewed(NOTHING, RECORD), RECORD);
  const beside = renewed(RECORD, { newer: RECORD.calls });
  t.deepEqual(
    Object.keys(renewed(beside, { calls: now }).newer!),
    ['s2'],
    'the figures beside other rounds are removed',
  );
  t.deepEqual(Object.keys(renewed(beside, { calls: now, newer: now }).newer!), ['s2', 's1']);
  t.deepEqual(recordCalls([new Map([['s2', new Map()]])], MACHINE, 1), {});
});

test('the document has tables with ratios, bars, libraries and the machine', (t) => {
  const document = formatDocument(RECORD);
  t.regex(document, /^\| all \| Abacus 9 \| 2 \| Linux 6\.1 \| 20\.20\.2 \|$/m);
  t.regex(document, /^\| \*\*trunkline-tcp\*\* \| 100 \(2\.00\) \| 100 \(0\.50\) \| {2}\|$/m);
  t.regex(document, /^\| grpc-js \| {2}\| 2 \(0\.010\) \| {2}\|$/m);
  t.regex(document, /^Other libraries: @grpc\/grpc-js \d+\.\d+\.\d+\.$/m);
  t.regex(document, /^\| s2 rate: .* \| \*\*0\.500\*\* \|$/m);
  t.regex(document, /^\| 8 \| 1,000 \| 900 \| 0\.90 \|$/m);
  t.regex(document, /^\| core \+ tcp \| \+70\.0 \| \+10\.0 \| \+4\.0 \|$/m);
  t.regex(document, /^\| trunkline \| 640 \| 1\.60 \|$/m);
  t.regex(document, /^\| type-checking: .* \| \*\*1\.60\*\* \|$/m);
  t.regex(document, /3 rounds of 1500 ms/);
  for (const name of formatPlots(RECORD).keys())
    t.true(document.includes(`(performance/${name})`), name);
  t.deepEqual([...formatPlots(RECORD).keys()], ['scale-flight.svg', 'calls.svg']);
});

test('parts from other machines are marked, and parts without measurements are left out', (t) => {
  const other = renewed(RECORD, {
    start: { ...RECORD.start!, machine: { ...MACHINE, node: '24.0.0' } },
  });
  const document = formatDocument(other);
  t.regex(document, /^\| calls, scale, types \| .* 20\.20\.2 \|$/m);
  t.regex(document, /^\| starting \| .* 24\.0\.0 \|$/m);
  const empty = formatDocument(NOTHING);
  t.notRegex(empty, /## (Calls|Scale|Starting|Types|Bars)/);
  t.deepEqual([...formatPlots(NOTHING)], []);
});

test('results of a newer Node are shown next to the others, and more than 15 % worse is marked', (t) => {
  const newer = (rate: number) =>
    recordCalls(
      ROUNDS.map(
        (round) =>
          new Map([
            [
              's2',
              new Map(
                [...round.get('s2')!].map(([title, figures]) => [
                  title,
                  { ...figures, rate: title === 'trunkline-tcp' ? rate : 100 },
                ]),
              ),
            ],
          ]),
      ),
      { ...MACHINE, node: '24.1.0' },
      1_500,
    );
  const rowOf = (rate: number) =>
    /^\| s2 rate: trunkline-tcp ÷ limit-net at .*$/m.exec(
      formatDocument(renewed(RECORD, { newer: newer(rate) })),
    )?.[0];
  t.is(rowOf(44), '| s2 rate: trunkline-tcp ÷ limit-net at least 1.2 | **0.500** | 0.440 | 1.14 |');
  t.is(
    rowOf(40),
    '| s2 rate: trunkline-tcp ÷ limit-net at least 1.2 | **0.500** | 0.400 | **1.25** |',
  );
  t.regex(
    formatDocument(renewed(RECORD, { newer: newer(44) })),
    /^\| bar \| Node 20\.20\.2 \| Node 24\.1\.0 \| times worse \|/m,
  );
});

test('bars go from 1 to the left if slower, to the right if faster: half the time is twice as fast', (t) => {
  const svg = formatPlots(RECORD).get('calls.svg')!;
  // One is our s2, by its rate; the other is our s1, by the inverse of its time.
  t.is([...svg.matchAll(/>0\.50</g)].length, 2);
  const plot = formatBars({
    name: 'x',
    title: 'a < b',
    label: 'ratio',
    groups: [
      {
        title: 's',
        bars: [
          { label: 'slow', ratio: 0.1, color: 1 },
          { label: 'fast', ratio: 10, color: 0 },
          { label: 'same', ratio: 1 },
        ],
      },
    ],
  });
  const bars = [...plot.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)].map(
    ([, x, width]) => [Number(x), Number(width)],
  );
  t.deepEqual(bars, [
    [170, 220],
    [390, 220],
    [390, 1],
  ]);
  t.true(plot.includes('>a &lt; b<'));
});

test('publishing updates one part on disk, and keeps the others', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-performance-'));
  const docs = pathToFileURL(`${folder}/`);
  publish({ calls: RECORD.calls }, docs);
  publish({ start: RECORD.start }, docs);
  const document = readFileSync(join(folder, 'performance.md'), 'utf8');
  for (const text of ['**s2**', '## Starting']) t.true(document.includes(text), text);
  t.true(existsSync(join(folder, 'performance', 'calls.svg')));
  rmSync(folder, { recursive: true });
});

test('a machine is described without its name', (t) => {
  const { processor, cores, kernel, node } = thisMachine(2, 'v24.1.0');
  t.true(processor.length > 0);
  t.is(cores, 2);
  t.regex(kernel, /^\w+( \d+\.\d+)?$/);
  t.is(node, '24.1.0');
});

function row(columns: Readonly<Record<string, Partial<Figures>>>): Map<string, Figures> {
  return new Map(Object.entries(columns) as [string, Figures][]);
}
