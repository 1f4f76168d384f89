// Tests the fuzzing engine: coverage, seeds, crashes, corpus and shrinking.

import test from 'ava';
import { withRow } from '../report.ts';
import { Corpus, minimized } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { fuzz } from './loop.ts';
import { shrunk } from './shrink.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');

/** A reader with a defect behind three branches, and a counter for each branch. */
function maze(counters: Uint8ClampedArray) {
  return {
    run(input: Uint8Array): void {
      const text = decoder.decode(input);
      for (let i = 0; i < WORD.length; i++) {
        if (text[i] !== WORD[i]) return;
        counters[i]!++;
      }
      throw new Error('found');
    },
    seeds: () => [encoder.encode('maze')],
  };
}
const WORD = 'Maze!';

test('coverage leads to a defect behind several branches', async (t) => {
  const coverage = new Coverage();
  const target = maze(coverage.module(WORD.length));
  const { crashes, runs } = await fuzz({ target, runs: 200_000, seed: 1, coverage });
  t.is(crashes.length, 1);
  t.is(decoder.decode(crashes[0]!.input).slice(0, WORD.length), WORD);
  t.true(runs > 100);
  t.is(coverage.covered, WORD.length);
});

test('the same seed runs the same inputs', async (t) => {
  const inputs = async () => {
    const seen: string[] = [];
    const target = {
      run: (input: Uint8Array) => void seen.push(decoder.decode(input)),
      seeds: () => [encoder.encode('seed')],
      tokens: ['word'],
    };
    await fuzz({ target, runs: 500, seed: 7 });
    return seen;
  };
  const first = await inputs();
  t.deepEqual(first, await inputs());
  t.true(new Set(first).size > 300);
});

test('an error at one place is one crash, however often it is thrown', async (t) => {
  const target = {
    run(input: Uint8Array): void {
      throw new Error(`byte ${input[0]}`);
    },
    seeds: () => [Uint8Array.of(1)],
  };
  const { crashes, runs } = await fuzz({ target, runs: 100, seed: 1 });
  t.is(crashes.length, 1);
  t.is(runs, 100);
});

test('a feature of an input is news once', (t) => {
  const coverage = new Coverage();
  const counters = coverage.module(3);
  const ran = (...counts: number[]) => {
    coverage.clear();
    counters.set(counts);
    return coverage.judge();
  };
  t.is(ran(1, 0, 0), 1);
  t.is(ran(1, 0, 0), 0);
  t.is(ran(1, 5, 0), 1);
  t.is(
    ran(2, 7, 0),
    1,
    'an edge taken twice is news, one taken seven times instead of five is not',
  );
  t.is(coverage.covered, 2);
  t.is(coverage.features().length, 2);
});

test('a corpus is minimized to the smallest inputs with the same coverage', (t) => {
  const corpus = new Corpus();
  const entry = (length: number, ...features: number[]) => ({
    input: new Uint8Array(length),
    features: Uint32Array.from(features),
  });
  for (const one of [entry(30, 1, 2, 3), entry(5, 1), entry(6, 1, 2), entry(40, 1, 2), entry(9, 3)])
    corpus.add(one);
  t.deepEqual(
    minimized(corpus.entries, 1_000).map(({ input }) => input.length),
    [5, 6, 9],
  );
  t.deepEqual(
    minimized(corpus.entries, 10).map(({ input }) => input.length),
    [5],
  );
});

test('a failing input is reduced to the part that makes it fail', async (t) => {
  const input = encoder.encode('some text with a needle in it');
  const fails = (candidate: Uint8Array) => decoder.decode(candidate).includes('need');
  t.is(decoder.decode(await shrunk(input, fails)), 'need');
});

test('a report replaces or adds one row and keeps the others, in the order of targets', (t) => {
  const progress = {
    runs: 1_000,
    rate: 500,
    edges: 9,
    covered: 7,
    corpus: 3,
    slowest: 1.25,
    growth: 1_048_576,
    crashes: [],
    slowestInput: '',
    isOver: false,
  };
  const empty = 'before\n<!-- fuzz: begin -->\n<!-- fuzz: end -->\nafter\n';
  const rows = (page: string) => page.split('\n').filter((line) => /^\| [a-z]+ \| \d/.test(line));
  const first = withRow(withRow(empty, 'json', progress), 'frames', progress);
  t.deepEqual(rows(first), [
    '| frames | 1,000 | 7 of 9 | 1.3 ms | 1.0 MiB | 0 |',
    '| json | 1,000 | 7 of 9 | 1.3 ms | 1.0 MiB | 0 |',
  ]);
  t.true(first.startsWith('before\n') && first.endsWith('\nafter\n'));
  const second = withRow(first, 'json', { ...progress, runs: 2_000 });
  t.deepEqual(rows(second), [rows(first)[0], rows(first)[1]!.replace('1,000', '2,000')]);
  t.throws(() => withRow('no table', 'json', progress), { message: /markers/ });
});
