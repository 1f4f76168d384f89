// Tests the transport suite itself: its rules for a backend's skips, and the number of its cases.

import test from 'ava';
import type { TransportBackend, TransportTest } from './backend.ts';
import { transportSuite } from './transport-suite.ts';

const backend: TransportBackend = {
  name: 'paper',
  create() {
    throw new Error('no case is run here');
  },
  unreachable: () => 'nowhere',
};

function titlesOf(skip: TransportBackend['skip'] = {}): { run: string[]; skipped: string[] } {
  const [run, skipped]: [string[], string[]] = [[], []];
  const declare = ((title: string) => run.push(title)) as TransportTest;
  declare.skip = (title) => skipped.push(title);
  transportSuite(declare, { ...backend, skip });
  return { run, skipped };
}

test('at least 120 cases exist, and no two have the same title', (t) => {
  const { run } = titlesOf();
  t.true(run.length >= 120);
  t.is(new Set(run).size, run.length);
});

test('a skip takes its case out and shows its reason', (t) => {
  const { run, skipped } = titlesOf({
    'an advertised address is reported unchanged': 'paper has no address',
  });
  t.deepEqual(skipped, [
    'paper: an advertised address is reported unchanged (skipped: paper has no address)',
  ]);
  t.is(run.length, titlesOf().run.length - 1);
});

test('a skip without a reason, of an unknown case, or a superfluous one throws a TypeError', (t) => {
  t.throws(() => titlesOf({ 'an advertised address is reported unchanged': ' ' }), {
    instanceOf: TypeError,
    message: /reason/,
  });
  t.throws(() => titlesOf({ 'no such case': 'because' }), {
    instanceOf: TypeError,
    message: /no such case/,
  });
  const eight = Object.fromEntries(
    titlesOf()
      .run.slice(0, 8)
      .map((title) => [title.replace('paper: ', ''), 'because']),
  );
  t.throws(() => titlesOf(eight), { instanceOf: TypeError, message: /at most 7/ });
});
