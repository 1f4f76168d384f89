// `pnpm sim`: runs Raft in virtual time under any number of seeds; shows and shrinks failures, and
// tells how to replay them.

import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { type ExploreFailure, type ExploreProgress, explore } from '@trunkline/simulation';
import { systemClock } from '@trunkline/transport-core';
import { Screen } from './demo/screen.ts';
import { drawLanes } from './sim/lanes.ts';
import { HELP, parseOptions, type SimOptions } from './sim/options.ts';
import { outcomeOf } from './sim/outcome.ts';
import { type Settings, scenarioUrl } from './sim/settings.ts';

const screen = new Screen(process.stdout);

/**
 * Runs the simulation. Exit codes: 0 all seeds passed, 1 one failed, 2 wrong options, 130
 * interrupted.
 */
async function main(): Promise<number> {
  let options: SimOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
    if (options !== 'help') await checkFolder(options.record);
    const { SEED = '' } = process.env;
    if (SEED !== '' && !SEED.startsWith(`${NAME}:`))
      throw new Error(
        `SEED: expected '${NAME}:' and a seed in the environment, as a failure prints it, got '${SEED}'`,
      );
  } catch (error) {
    process.stderr.write(
      `sim: ${(error as Error).message.split('. ')[0]} (--help shows the options)\n`,
    );
    return 2;
  }
  if (options === 'help') {
    screen.print(HELP);
    return 0;
  }
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt); // A second SIGINT ends the process as usual.
  try {
    return await search(options, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.stderr.write('interrupted\n');
    return 130;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function search(
  { seeds, from, workers, settings, replay, json, record }: SimOptions,
  signal: AbortSignal,
): Promise<number> {
  const began = systemClock.now();
  const what = `${settings.nodes} nodes under ${settings.nemesis}`;
  const onProgress = ({ done, seeds, failed, virtualHours }: ExploreProgress) => {
    const speed = (virtualHours * HOUR) / Math.max(1, systemClock.now() - began);
    screen.progress(
      'raft',
      what,
      `${done} of ${seeds} seeds, ${failed} failed, ${number(virtualHours, 1)} virtual hours, ${number(speed)} × real time`,
    );
  };
  const command = ['npx pnpm@12 sim', ...replay].join(' ');
  const exploration = await explore({
    name: NAME,
    seed: from,
    seeds,
    workers,
    scenario: scenarioUrl(settings),
    replay: command,
    onProgress: json ? undefined : onProgress,
    signal,
  });
  const { passed, failed, virtualHours } = exploration;
  const elapsed = systemClock.now() - began;
  const recording = failed[0]?.recording;
  if (record !== undefined && recording !== undefined)
    await writeFile(record, `${JSON.stringify(recording)}\n`);
  if (json) {
    process.stdout.write(`${JSON.stringify(outcomeOf(exploration, settings, elapsed))}\n`);
    return failed.length === 0 ? 0 : 1;
  }
  for (const failure of failed) showFailure(failure);
  const outcome =
    failed.length === 0 ? 'all passed' : `${number(passed)} passed, ${failed.length} failed`;
  const speed = `${number(elapsed / 1_000, elapsed < 10_000 ? 1 : 0)} s, ${number(virtualHours, 1)} virtual hours, ${number((virtualHours * HOUR) / elapsed)} × real time`;
  screen.print(
    screen.color(
      failed.length === 0 ? 'green' : 'red',
      `${title(passed + failed.length, settings)}: ${outcome} in ${speed}`,
    ),
  );
  return failed.length === 0 ? 0 : 1;
}

/** Rejects before a long search if its recording could not be written. */
async function checkFolder(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await access(dirname(resolve(file)), constants.W_OK);
  } catch {
    throw new Error(`--record: expected a file in a folder that can be written, got '${file}'`);
  }
}

/**
 * Shows what failed, the last events, and the smallest reproduction, as explore reports them, but
 * with the events drawn.
 */
function showFailure({ seed, error, trace }: ExploreFailure): void {
  const lines = error.message.split('\n');
  const events = lines.indexOf('the last events:');
  const told = lines.findIndex(
    (line, i) =>
      i > events &&
      !line.startsWith('  ') &&
      (events >= 0 || /^(?:it fails with|SEED=)/.test(line)),
  );
  const rest = told < 0 ? lines.length : told;
  const [first = '', ...more] = lines.slice(0, events < 0 ? rest : events);
  screen.print(screen.color('red', `✘ seed ${seed}: ${first}`));
  for (const line of more) screen.print(line);
  screen.print(
    `\nthe last ${Math.min(SHOWN, trace.timeline.length)} of ${number(trace.events)} events:\n`,
  );
  for (const line of drawLanes(trace.timeline.slice(-SHOWN))) screen.print(line);
  screen.print('');
  for (const line of lines.slice(rest)) screen.print(line);
  screen.print('');
}

function title(seeds: number, { minutes, nemesis }: Settings): string {
  const each =
    minutes >= 120
      ? `${number(minutes / 60, 1)} virtual hours`
      : `${number(minutes, 1)} virtual minute${minutes === 1 ? '' : 's'}`;
  return `${number(seeds)} ${seeds === 1 ? 'seed' : 'seeds'} × ${each} of Raft under ${nemesis === 'none' ? 'no nemesis' : nemesis}`;
}

function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** The name of the scenario, as used in SEED. */
const NAME = 'raft';
/** The number of events shown for a failure. */
const SHOWN = 60;
/** Milliseconds. */
const HOUR = 3_600_000;

process.exitCode = await main();
