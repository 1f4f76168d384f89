// Runs `pnpm sim` as a process: passing seeds, failures, replays and options.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { MUTANTS, MUTATE } from './sim/testing/mutants.ts';
import { runMain } from './testing/run-main.ts';

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runMain(
    [...(env['EDITS'] === undefined ? [] : ['--no-warnings', '--import', MUTATE]), 'sim.js'],
    args,
    { SEED: '', ...env },
  );

test('passing seeds end with one line about them, and exit code 0; SEED runs only that seed', async (t) => {
  const { code, out, err } = await run(['--seeds', '4', '--minutes', '1']);
  t.is(code, 0, out + err);
  t.regex(out, /^Raft under swarm: 4 passed, 0 failed; 0\.1 virtual hours in [\d.]+ s$/m);
  t.is(err, '');
  const one = await run(['--minutes', '1', '--nemesis', 'none'], { SEED: 'raft:3' });
  t.is(one.code, 0);
  t.regex(one.out, /^Raft under none: 1 passed, 0 failed/m);
});

test('a failure shows what broke, the last events, the smallest plan, and the line that replays it', async (t) => {
  t.timeout(60_000, 'seconds on a free machine');
  const { edits } = MUTANTS.find(({ name }) => name === 'counts refused votes')!;
  const EDITS = JSON.stringify(edits);
  const args = ['--minutes', '1'];
  const { code, out, err } = await run(['--seeds', '50', ...args], { EDITS });
  t.is(code, 1, out + err);
  t.regex(
    out,
    /^✘ seed \d+: (?:committed entries are never lost|at most one leader per term|log matching): .* \(seed \d+, at [\d.]+ ms\)$/m,
  );
  t.regex(out, /^the last events:\n/m);
  t.regex(out, /leads term \d+$/m);
  t.regex(out, /^it fails with \d+ of the \d+ planned faults/m);
  const replay = /^SEED=(raft:\d+:\S+) npx pnpm@12 sim --minutes 1$/m.exec(out);
  t.truthy(replay, out);
  t.regex(out, /^Raft under swarm: \d+ passed, 1 failed/m);
  const SEED = replay![1]!;
  const again = await run(args, { EDITS, SEED });
  t.is(again.code, 1);
  t.true(again.out.includes(/^✘ .*$/m.exec(out)![0]), again.out);

  const folder = await mkdtemp(join(tmpdir(), 'sim-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'failure.json');
  const recorded = await run([...args, '--record', file], { EDITS, SEED });
  t.is(recorded.code, 1, recorded.err);
  const recording = JSON.parse(await readFile(file, 'utf8'));
  t.is(recording.format, 'trunkline-recording');
  t.true(out.includes(recording.failure.rule), recording.failure.rule);
});

test('invalid options are reported in one line, with exit code 2; --help shows the valid ones', async (t) => {
  for (const [args, SEED] of [
    [['--nemesis', 'storm'], ''],
    [[], 'seven'],
  ] as const) {
    const { code, out, err } = await run(args, { SEED });
    t.deepEqual([code, out, err.trimEnd().split('\n').length], [2, '', 1], err);
  }
  const help = await run(['--help']);
  t.is(help.code, 0);
  for (const option of ['--seeds', '--minutes', '--nemesis', '--level', '--record', 'SEED'])
    t.true(help.out.includes(option));
});
