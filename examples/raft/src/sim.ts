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
  const { seeds, from, settings, record } = options;
  const began = systemClock.now();
  const speed = (virtualHours: number) => {
    const factor = (virtualHours * HOUR) / Math.max(1, systemClock.now() - began);
    return `${number(virtualHours, 1)} virtual hours, ${number(factor)} × real time`;
  };
  const onProgress = ({ done, seeds, failed, virtualHours }: ExploreProgress) =>
    process.stdout.write(
      `\r${done} of ${seeds} seeds, ${failed} failed, ${speed(virtualHours)}\x1b[K`,
    );
  const { passed, failed, virtualHours } = await explore({
    name: NAME,
    seed: from,
    seeds,
    workers: availableParallelism(),
    scenario: scenarioUrl(settings),
    replay: `npx pnpm@12 sim${optionsOf(settings)}`,
    onProgress: process.stdout.isTTY ? onProgress : undefined,
    signal,
  });
  const elapsed = systemClock.now() - began;
  if (process.stdout.isTTY) print('');
  for (const { seed, error } of failed) print(`✘ seed ${seed}: ${error.message}\n`);
  const count = passed + failed.length;
  const title = `${plural(count, 'seed')} × ${plural(settings.minutes, 'virtual minute')} of Raft under ${settings.nemesis}`;
  const outcome =
    failed.length === 0 ? 'all passed' : `${number(passed)} passed, ${failed.length} failed`;
  print(`${title}: ${outcome} in ${number(elapsed / 1_000, 1)} s, ${speed(virtualHours)}`);
  if (record !== undefined && failed[0]?.recording !== undefined)
    writeFileSync(record, `${JSON.stringify(failed[0].recording)}\n`);
  return failed.length === 0 ? 0 : 1;
}

function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The name of the scenario, as used in SEED. */
const NAME = 'raft';
/** Milliseconds. */
const HOUR = 3_600_000;

await runProgram('sim', HELP, parse, search);
