// Tests the report, and the number of attacks in the docs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ATTACKS, SCENARIOS } from './all-attacks.ts';
import { root } from './faults.ts';
import type { Outcome } from './outcome.ts';
import { writeReport } from './report.ts';

test('the report has a row for each outcome, in the order of the attacks', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-report-'));
  const file = join(folder, 'report.md');
  const figures = { growth: 2 * 1_024 ** 2, bound: 0, control: 2, during: 4, delay: 1, busy: 1 };
  const second: Outcome = {
    ...figures,
    attack: 'second',
    carrier: 'tcp',
    answer: 'a|b',
    flaws: [],
  };
  const first = { ...second, attack: 'first', during: Number.NaN, flaws: ['it was slow'] };
  writeReport([second, first], ['first', 'second'], file);
  const report = readFileSync(file, 'utf8');
  t.true(report.startsWith('# Attacks\n'));
  t.regex(report, /\. 1 of 2 hold\.$/m);
  t.true(
    report.includes(
      '\n| first | tcp | 2 | 0 | – | 2.0 | – | 1 | 1 | a\\|b | it was slow |\n| second | tcp | 2 | 0 | 4.0 | 2.0 | 2.0 | 1 | 1 | a\\|b | holds |\n\n',
    ),
  );
  rmSync(folder, { recursive: true });
});

test('docs/reliability.md tells how many attacks there are', (t) => {
  const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
  t.true(page.includes(`${ATTACKS.length + SCENARIOS.length} attacks`));
});
