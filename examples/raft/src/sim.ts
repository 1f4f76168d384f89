// `pnpm sim`: runs Raft in virtual time under any number of seeds; shows and shrinks failures, and
// tells how to replay them.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { type ExploreProgress, explore } from '@trunkline/simulation';
import { systemClock } from '@trunkline/transport-core';
import { print, runProgram } from './program.ts';
import { HELP, optionsOf, parseOptions, scenarioUrl } from './sim/settings.ts';

type Options = ReturnType<typeof parseOptions>;

function parse(args: string[]): Options {
  const options = parseOptions(args);
  const { SEED = '' } = process.env;
  if (SEED !== '' && !SEED.startsWith(`${NAME}:`))
    throw new Error(`SEED: expected '${NAME}:' and a seed, as a failure prints it, got '${SEED}'`);
  return options;
}

/** Runs all seeds. Exit codes: 0 all have passed, 1 one failed. */
async function search(options: Options, signal: AbortSignal): Promise<number> {
  const { seeds, settings, record } = options;
  const began = systemClock.now();
  const onProgress = ({ done, failed }: ExploreProgress) =>
    process.stdout.write(`\r${done} of ${seeds} seeds, ${failed} failed\x1b[K`);
  const { passed, failed, virtualHours } = await explore({
    name: NAME,
    seeds,
    workers: availableParallelism(),
    scenario: scenarioUrl(settings),
    replay: `npx pnpm@12 sim${optionsOf(settings)}`,
    onProgress: process.stdout.isTTY ? onProgress : undefined,
    signal,
  });
  const seconds = (systemClock.now() - began) / 1_000;
  if (process.stdout.isTTY) print('');
  for (const { seed, error } of failed) print(`✘ seed ${seed}: ${error.message}\n`);
  const speed = `${virtualHours.toFixed(1)} virtual hours in ${seconds.toFixed(1)} s`;
  print(`Raft under ${settings.nemesis}: ${passed} passed, ${failed.length} failed; ${speed}`);
  if (record !== undefined && failed[0]?.recording !== undefined)
    writeFileSync(record, `${JSON.stringify(failed[0].recording)}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** The name of the scenario, as used in SEED. */
const NAME = 'raft';

await runProgram('sim', HELP, parse, search);
