// Tests which parts of a row in the report a new run replaces.

import test from 'ava';
import { renewed } from './report.ts';

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
