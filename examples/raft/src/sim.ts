// `pnpm sim`: runs Raft in virtual time under any number of seeds; shows and shrinks failures, and
// tells how to replay them.

import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { type ExploreFailure, type ExploreProgress, explore } from '@trunkline/simulation';
import { systemClock } from '@trunkline/transport-core';
import { Screen } from './demo/screen.ts';
import { print, runProgram } from './program.ts';
import { HELP, parseOptions, type SimOptions } from './sim/options.ts';
import { scenarioUrl } from './sim/settings.ts';

function parse(args: string[]): SimOptions {
  const options = parseOptions(args);
  const { SEED = '' } = process.env;
  if (SEED !== '' && !SEED.startsWith(`${NAME}:`))
    throw new Error(`SEED: expected '${NAME}:' and a seed, as a failure prints it, got '${SEED}'`);
  try {
    // Better now than after a long search.
    if (options.record !== undefined) accessSync(dirname(resolve(options.record)), constants.W_OK);
  } catch {
    throw new Error(`--record: expected a file in a folder that can be written`);
  }
  return options;
}

/** Runs all seeds. Exit codes: 0 all have passed, 1 one failed. */
async function search(options: SimOptions, signal: AbortSignal): Promise<number> {
  const { seeds, from, workers, settings, replay, json, record } = options;
  const { nodes, minutes, nemesis } = settings;
  const screen = new Screen(process.stdout);
  const began = systemClock.now();
  const speed = (virtualHours: number) => {
    const factor = (virtualHours * HOUR) / Math.max(1, systemClock.now() - began);
    return `${number(virtualHours, 1)} virtual hours, ${number(factor)} × real time`;
  };
  const onProgress = ({ done, seeds, failed, virtualHours }: ExploreProgress) =>
    screen.progress(
      'raft',
      `${nodes} nodes under ${nemesis}`,
      `${done} of ${seeds} seeds, ${failed} failed, ${speed(virtualHours)}`,
    );
  const { passed, failed, virtualHours } = await explore({
    name: NAME,
    seed: from,
    seeds,
    workers,
    scenario: scenarioUrl(settings),
    replay: ['npx pnpm@12 sim', ...replay].join(' '),
    onProgress: json ? undefined : onProgress,
    signal,
  });
  const elapsed = systemClock.now() - began;
  if (record !== undefined && failed[0]?.recording !== undefined)
    writeFileSync(record, `${JSON.stringify(failed[0].recording)}\n`);
  const isFine = failed.length === 0;
  if (json) {
    const outcome = { settings, passed, failed: failed.map(plain), virtualHours, elapsed };
    print(JSON.stringify(outcome));
    return isFine ? 0 : 1;
  }
  for (const { seed, error } of failed)
    screen.print(screen.color('red', `✘ seed ${seed}: ${error.message}\n`));
  const total = passed + failed.length;
  const title = `${number(total)} seed${total === 1 ? '' : 's'} × ${number(minutes, 1)} virtual minute${minutes === 1 ? '' : 's'} of Raft under ${nemesis === 'none' ? 'no nemesis' : nemesis}`;
  const outcome = isFine ? 'all passed' : `${number(passed)} passed, ${failed.length} failed`;
  const summary = `${title}: ${outcome} in ${number(elapsed / 1_000, 1)} s, ${speed(virtualHours)}`;
  screen.print(screen.color(isFine ? 'green' : 'red', summary));
  return isFine ? 0 : 1;
}

/**
 * Describes a failure as data: the rule that broke, the smallest list of faults, the command that
 * repeats the run, and each node at that moment.
 */
function plain({ seed, error, trace, schedule, faults, replay }: ExploreFailure) {
  const { invariant: rule, at, message } = error;
  const { hash, nodes } = trace;
  return {
    seed,
    rule,
    at,
    message: message.split('\n', 1)[0],
    schedule,
    faults,
    replay,
    hash,
    nodes,
  };
}

function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** The name of the scenario, as used in SEED. */
const NAME = 'raft';
/** Milliseconds. */
const HOUR = 3_600_000;

await runProgram('sim', HELP, parse, search);
