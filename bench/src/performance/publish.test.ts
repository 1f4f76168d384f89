// Tests the figures behind docs/performance.md, and the page made from them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { type Plan, taskOf } from '../benchmark.ts';
import { summarize } from '../summary.ts';
import { formatDocument } from './document.ts';
import { formatRecord, partsOf, publish, renewed } from './publish.ts';
import type { PerformanceRecord } from './record.ts';

const LIMIT = { group: 's2', name: 'limit-net' };
const PLAN: Plan = {
  tasks: [LIMIT, { group: 's2', name: 'trunkline-tcp', against: 'limit-net' }].map((row) =>
    taskOf(row, async () => undefined),
  ),
  titleOf: (group) => `${group}: calls`,
  figuresOf: () => [{ key: 'rate', unit: 'calls/s' }],
};
const RECORD: PerformanceRecord = {
  calls: partsOf(PLAN, {
    rows: summarize(PLAN, [
      { s2: { 'limit-net': { rate: 123_456.7 }, 'trunkline-tcp': { rate: 61_728 } } },
    ]),
    verdicts: [
      { bar: 's2 rate: trunkline-tcp ÷ limit-net at least 1.2', ratio: 0.5, holds: false },
    ],
    settings: '1 rounds of 60 ms',
  }),
};

test('the page has tables with ratios, missed bars, and the machine without its name', (t) => {
  const { machine } = RECORD['calls']!['s2']!;
  t.regex(machine.kernel, /^\w+( \d+\.\d+)?$/);
  const page = formatDocument(RECORD);
  t.regex(page, /^\| limit-net \| 123,000 \|$/m);
  t.regex(page, /^\| \*\*trunkline-tcp\*\* \| 61,700 \(0\.50\) \|$/m);
  t.true(page.includes('| s2 rate: trunkline-tcp ÷ limit-net at least 1.2 | 0.500 |'));
  t.regex(page, /1 rounds of 60 ms/);
  t.notRegex(page, /## (Scale|Starting)/);
  t.notRegex(formatDocument({}), /## (Calls|Bars)/);
});

test('a new measurement replaces its tables and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-performance-'));
  const docs = pathToFileURL(`${folder}/`);
  mkdirSync(join(folder, 'performance'));
  writeFileSync(join(folder, 'performance/figures.json'), '{}');
  publish(RECORD, docs);
  publish({ start: { '': { ...RECORD['calls']!['s2']!, title: '' } } }, docs);
  const page = readFileSync(join(folder, 'performance.md'), 'utf8');
  for (const text of ['## Calls', '## Starting']) t.true(page.includes(text), text);
  rmSync(folder, { recursive: true });
  const other = { calls: { s1: RECORD['calls']!['s2']! } };
  t.deepEqual(Object.keys(renewed(RECORD, other)['calls']!), ['s2', 's1']);
  t.regex(formatRecord(RECORD), /123500/);
});

test('the page in docs/ is the one of its figures', (t) => {
  const docs = new URL('../../../docs/', import.meta.url);
  const figures = readFileSync(new URL('performance/figures.json', docs), 'utf8');
  t.is(
    readFileSync(new URL('performance.md', docs), 'utf8'),
    formatDocument(JSON.parse(figures) as PerformanceRecord),
  );
});
