// Tests which parts of the report a new run replaces, and the summary of the attacks in the docs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ATTACKS, SCENARIOS } from './all-attacks.ts';
import { root } from './faults.ts';
import type { Outcome } from './outcome.ts';
import { renewed, writeReport } from './report.ts';

const SLOW = 'p99 of honest calls is 9.0 times its value before the attack';
const LARGE = 'memory grew by 700 MiB, above its bound of 640 plus 16';
const OTHER = "the answer is 'cut', not ^nothing$";

function row(figures: string, answer: string, verdict: string): string[] {
  return ['attack', 'tcp', ...Array.from({ length: 7 }, () => figures), answer, verdict];
}

test('a run of one quantity keeps the figures and flaws of the other, and no earlier answer', (t) => {
  const earlier = `| ${row('1', 'cut', [SLOW, LARGE, OTHER].join('; ')).join(' | ')} |`;
  const memory = renewed(earlier, row('2', 'nothing', 'holds'), 'memory');
  t.deepEqual(memory, ['attack', 'tcp', '2', '2', '1', '1', '1', '1', '1', 'nothing', SLOW]);
  const times = renewed(earlier, row('2', 'nothing', 'holds'), 'times');
  t.deepEqual(times, ['attack', 'tcp', '1', '1', '2', '2', '2', '2', '2', 'nothing', LARGE]);
});

test('the report gets one row after the other, in the order of the attacks', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-report-'));
  const file = join(folder, 'report.md');
  const outcome: Outcome = {
    attack: 'second',
    carrier: 'tcp',
    growth: 2 * 1_024 ** 2,
    bound: 0,
    before: 2,
    during: 4,
    delay: 1,
    busy: 1,
    answer: 'a|b',
    flaws: [],
  };
  const order = ['first', 'second'];
  writeReport(outcome, 'memory', order, file);
  writeReport({ ...outcome, attack: 'first', flaws: [LARGE] }, 'memory', order, file);
  writeReport(outcome, 'times', order, file);
  const report = readFileSync(file, 'utf8');
  t.true(report.startsWith('# Attacks\n'));
  t.regex(report, /\. 1 of 2 hold\.$/m);
  t.true(
    report.includes(
      `\n| first | tcp | 2 | 0 | – | – | – | – | – | a\\|b | ${LARGE} |\n| second | tcp | 2 | 0 | 4.0 | 2.0 | 2.0 | 1 | 1 | a\\|b | holds |\n\n`,
    ),
  );
  rmSync(folder, { recursive: true });
});

test('docs/reliability.md tells how many attacks there are', (t) => {
  const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
  t.true(page.includes(`${ATTACKS.length + SCENARIOS.length} attacks`));
});
