// Tests the identity suite itself: its titles and its skips.

import test from 'ava';
import type { TestFunction } from '../test-runner.ts';
import type { IdentityBackend, IdentityCredentials } from './backend.ts';
import { identitySuite } from './identity-suite.ts';

const nothing = () => {
  throw new Error('no case is run here');
};

const least: IdentityBackend<IdentityCredentials> = {
  name: 'paper',
  credentials: nothing,
  transport: nothing,
  layer: nothing,
  plain: { transport: nothing },
  beneath: { layer: nothing },
};

const everything: IdentityBackend<IdentityCredentials> = {
  ...least,
  refused: { 'a flaw': { make: nothing, reason: 'bad_certificate', says: /flaw/ } },
  untrusting: { alone: nothing },
};

function titlesOf(backend: IdentityBackend<IdentityCredentials>): {
  run: string[];
  skipped: string[];
} {
  const [run, skipped]: [string[], string[]] = [[], []];
  const declare: TestFunction = (title) => void run.push(title.replace('paper: ', ''));
  declare.skip = (title) => void skipped.push(title.replace('paper: ', ''));
  identitySuite(declare, backend);
  return { run, skipped };
}

test('the identity suite has at least 55 cases, and no two have the same title', (t) => {
  const { run, skipped } = titlesOf(everything);
  t.true(run.length >= 55, String(run.length));
  t.is(new Set(run).size, run.length);
  t.deepEqual(skipped, []);
});

test('a case that a backend does not support is skipped with the reason', (t) => {
  const { run, skipped } = titlesOf(least);
  t.true(run.length >= 50, String(run.length));
  t.deepEqual(skipped, [
    'the cases of refused (skipped: no transport accepts flawed credentials)',
    'the cases of untrusting (skipped: the backend admits any node that proves an id)',
  ]);
  t.is(run.length + 4, titlesOf(everything).run.length);
});

test('a case that a backend names is skipped with its reason', (t) => {
  const title = 'the boundaries of chunks have no effect: bytes arrive one by one';
  const { run, skipped } = titlesOf({ ...everything, skip: { [title]: 'it takes too long' } });
  t.deepEqual(skipped, [`${title} (skipped: it takes too long)`]);
  t.false(run.includes(title));
});

for (const [what, skip, message] of [
  ['an unknown title', { 'no such case': 'it does not exist' }, /there is no case 'no such case'/],
  ['a skip without a reason', { 'no such case': ' ' }, /give the reason/],
  [
    'more than seven skips',
    Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`case ${n}`, 'a reason'])),
    /8 cases, at most 7/,
  ],
] as const)
  test(`${what} throws a TypeError`, (t) => {
    t.throws(() => titlesOf({ ...everything, skip }), { instanceOf: TypeError, message });
  });
