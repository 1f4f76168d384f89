// Checks that the cases named in COVERAGE.md exist.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { sessionSuite } from './session-suite.ts';

test('every case that COVERAGE.md names exists', (t) => {
  const titles: string[] = [];
  const place = () => {
    throw new Error('no case runs here');
  };
  sessionSuite((title) => void titles.push(title.replace('x: ', '')), { name: 'x', place });
  const missing: string[] = [];
  for (const line of readFileSync(
    new URL('../../src/session/COVERAGE.md', import.meta.url),
    'utf8',
  ).split('\n')) {
    const named = line.startsWith('| ') ? (line.split(' | ')[1] ?? '') : '';
    let group = '';
    for (const [, prefix, fragment = ''] of named.matchAll(/\b([a-z]+): |\*([^*]+)\*/g)) {
      group = prefix ?? group;
      for (const piece of fragment.split(/ · |…/).map((words) => words.trim())) {
        if (
          piece !== '' &&
          !titles.some((title) => title.startsWith(`${group}: `) && title.includes(piece))
        )
          missing.push(`${group}: ${piece}`);
      }
    }
  }
  t.deepEqual(missing, []);
  t.true(titles.length > 600);
});
