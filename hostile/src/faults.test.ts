// Tests that the catalog of faults is complete and that docs/faults.md matches it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { flawsOfCatalog, formatPage, readCatalog, root } from './faults.ts';

test('each fault has a test that exists, or a reason why it has none', (t) => {
  t.deepEqual(flawsOfCatalog(readCatalog()), []);
});

test('docs/faults.md matches the catalog', (t) => {
  t.is(
    readFileSync(join(root, 'docs/faults.md'), 'utf8'),
    formatPage(readCatalog()),
    "run 'node hostile/dist/write-faults.js'",
  );
});

test('missing tests, cases without tests, and missing and misplaced cases are found', (t) => {
  const flaws = flawsOfCatalog([
    {
      section: 'a',
      cases: [{ case: 1, behavior: 'b', tests: ['hostile/src/faults.ts: no such title'] }],
    },
    {
      section: 'b',
      cases: [
        { case: 141, behavior: 'b' },
        { case: 143, behavior: 'b' },
      ],
    },
  ]);
  t.true(flaws.some((flaw) => flaw.includes('case 1: there is no test')));
  t.true(flaws.includes('case 141 has no test'));
  t.true(flaws.includes('case 2 occurs 0 times'));
  t.true(flaws.includes("the numbers of 'b' are not consecutive"));
});
