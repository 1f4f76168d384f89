// Fuzzes targets, each in a process of its own, and reports the results.

import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { type Options, readOptions, USAGE } from './options.ts';
import { cells, heads, writeReport } from './report.ts';
import { loadTarget, TARGET_NAMES, type TargetName } from './targets.ts';
import type { Progress, Task } from './worker.ts';

const MIB = 1024 * 1024;
/** The total bytes of all corpus files. */
const CORPUS_BYTES = 200_000;
/** The most milliseconds that an input may take. */
const SLOWEST = 100;
/** The most bytes by which a target's process may grow. */
const MOST_GROWTH = 32 * MIB;
/**
 * The size in bytes from which glibc maps a buffer by itself and unmaps it when it is freed. Its
 * heap cannot shrink while anything beyond a freed buffer is in use.
 */
const MAPPED = 8 * 1024;

const options = read();
if (options !== undefined) await main(options);

function read(): Options | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
    return undefined;
  }
}

async function main({
  targets,
  runs,
  seed,
  keep,
  untimed,
  report,
  input,
  help,
}: Options): Promise<void> {
  if (help) return console.log(USAGE);
  if (input !== undefined) {
    await (await loadTarget(targets[0]!)).run(input);
    return console.log('it throws nothing');
  }
  const budget = Math.floor(CORPUS_BYTES / TARGET_NAMES.length);
  const waiting = [...targets];
  const runOne = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const task = { target, runs, seed, keep, budget };
      const result = await work(task, (progress) => {
        if (report) writeReport(target, progress);
      });
      tell(target, result, runs, untimed);
    }
  };
  // Times are valid only if one target runs at a time.
  await Promise.all(Array.from({ length: untimed ? availableParallelism() : 1 }, runOne));
}

/** Prints the result of a target. */
function tell(
  target: TargetName,
  result: Progress | undefined,
  runs: number,
  untimed: boolean,
): void {
  const wrong = result === undefined ? ['its process died'] : verdict(result, untimed);
  if (result !== undefined) {
    console.log(line(target, result, runs));
    for (const crash of result.crashes) console.log(crashText(target, crash));
    if (!untimed && result.slowest > SLOWEST)
      console.log(`\n  npx pnpm@12 fuzz ${target} --input ${result.slowestInput}\n`);
  }
  for (const problem of wrong) console.log(`${target}: ${problem}`);
  if (wrong.length > 0) process.exitCode = 1;
}

/** Returns what is wrong with a result. */
function verdict({ crashes, slowest, growth }: Progress, untimed: boolean): string[] {
  const wrong: string[] = [];
  if (crashes.length > 0) wrong.push(`${crashes.length} crashes`);
  if (untimed) return wrong;
  if (slowest > SLOWEST)
    wrong.push(`an input took ${Math.round(slowest)} ms, more than ${SLOWEST}`);
  if (growth > MOST_GROWTH)
    wrong.push(
      `the process grew by ${Math.round(growth / MIB)} MiB, more than ${MOST_GROWTH / MIB}`,
    );
  return wrong;
}

/**
 * Runs the target's process. Its young generation is small, and larger buffers have pages of their
 * own (`MAPPED`), so that the process gives back most of the memory that it has freed. Otherwise,
 * its resident memory would vary by tens of MiB although it holds nothing.
 *
 * Calls `advance` with each report, and returns the final one; undefined if the process died
 * earlier.
 */
async function work(
  task: Task,
  advance: (progress: Progress) => void,
): Promise<Progress | undefined> {
  const child = fork(new URL('./worker.js', import.meta.url), {
    execArgv: ['--expose-gc', '--max-semi-space-size=1'],
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: `${MAPPED}` },
  });
  let last: Progress | undefined;
  let shown = 0;
  child.on('message', (progress: Progress) => {
    last = progress;
    advance(progress);
    for (const crash of progress.isOver ? [] : progress.crashes.slice(shown)) {
      show('');
      console.log(crashText(task.target, crash));
      shown++;
    }
    if (!progress.isOver) show(line(task.target, progress, task.runs));
  });
  child.send(task);
  await exited(child);
  show('');
  return last?.isOver ? last : undefined;
}

function crashText(target: string, { error, input }: Progress['crashes'][number]): string {
  return `\n${error}\n  npx pnpm@12 fuzz ${target} --input ${input}\n`;
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => void child.once('exit', () => resolve()));
}

function line(target: string, progress: Progress, runs: number): string {
  const figures = cells(progress, runs).map((cell, i) => `${heads[i]} ${cell}`);
  return `${target.padEnd(14)} ${figures.join('  ')}`;
}

/** Prints a line that the next one replaces; without a terminal, an ordinary line. */
function show(text: string): void {
  const { stderr } = process;
  if (stderr.isTTY) stderr.write(`\r\x1b[K${text.slice(0, (stderr.columns ?? 80) - 1)}`);
  else if (text !== '') stderr.write(`  ${text}\n`);
}
