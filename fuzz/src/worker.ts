// Runs one target in a process of its own, so that its memory can be measured and its modules can
// count their edges. A message starts it, and it answers with progress and the result.

import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { minimized, readCorpus, writeCorpus } from './engine/corpus.ts';
import { Coverage } from './engine/coverage.ts';
import { fuzz, type LoopState } from './engine/loop.ts';
import { shrunk } from './engine/shrink.ts';
import type { Target } from './engine/target.ts';
import { instrument } from './instrument/hooks.ts';
import { loadTarget, type TargetName } from './targets.ts';

/** The task of the process. */
export interface Task {
  readonly target: TargetName;
  readonly runs: number;
  readonly seed: number;
  readonly keep: boolean;
  /** The most bytes of the target's corpus file. */
  readonly budget: number;
}

/** The progress of a run and, in the last report, its result. */
export interface Progress {
  readonly runs: number;
  /** Inputs a second since the start. */
  readonly rate: number;
  readonly edges: number;
  readonly covered: number;
  readonly corpus: number;
  /** Milliseconds that the slowest input took. */
  readonly slowest: number;
  /**
   * The most bytes by which the process has grown since warm-up, in two reports in a row, each
   * after a garbage collection. A peak in one of them is memory that is given back.
   */
  readonly growth: number;
  readonly crashes: readonly { readonly input: string; readonly error: string }[];
  readonly slowestInput: string;
  readonly isOver: boolean;
}

const coverage = new Coverage();
Object.assign(globalThis, { __countEdges: (edges: number) => coverage.module(edges) });
instrument();

process.once('message', (task: Task) => void work(task));

async function work(task: Task): Promise<void> {
  const target = await loadTarget(task.target);
  const watched = new SharedArrayBuffer(WATCHED);
  const counter = new Int32Array(watched, 0, 2);
  const bytes = new Uint8Array(watched, 8);
  const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { watched, target: task.target },
  });
  const began = performance.now();
  const warm = Math.min(WARM_UP, task.runs >> 1);
  let base = 0;
  let growth = 0;
  let last = 0;
  let told = began;
  let runs = 0;
  const before = (input: Uint8Array) => {
    bytes.set(input.length > bytes.length ? input.subarray(0, bytes.length) : input);
    counter[1] = input.length;
    counter[0] = ++runs;
  };
  const tell = async (state: LoopState, isOver: boolean) => {
    const size = residentSize();
    if (base > 0) growth = Math.max(growth, Math.min(size, last) - base);
    last = size;
    const crashes: { input: string; error: string }[] = [];
    for (const { input, error } of state.crashes) {
      const shown = isOver ? await smallest(target, input, error) : input;
      crashes.push({ input: base64(shown), error: textOf(error) });
    }
    const { slowest, corpus } = state;
    const rate = Math.round((state.runs / (performance.now() - began)) * 1_000);
    const progress: Progress = {
      runs: state.runs,
      rate,
      edges: coverage.edges,
      covered: coverage.covered,
      corpus: corpus.size,
      slowest: slowest.time,
      growth,
      crashes,
      slowestInput: base64(slowest.input),
      isOver,
    };
    process.send!(progress);
  };
  const after = (state: LoopState) => {
    if (base === 0 && state.runs >= warm) base = residentSize();
    if (performance.now() - told > PERIOD) {
      told = performance.now();
      void tell(state, false);
    }
  };
  const state = await fuzz({
    ...task,
    target,
    known: readCorpus(task.target),
    coverage,
    before,
    after,
    now: () => performance.now(),
    busy,
  });
  if (base === 0) base = residentSize();
  await watchdog.terminate();
  if (task.keep) {
    const kept = minimized(state.corpus.entries, task.budget);
    writeCorpus(
      task.target,
      kept.map(({ input }) => input),
    );
  }
  await tell(state, true);
  process.disconnect();
}

/** Returns the CPU time that this process has used, in milliseconds. */
function busy(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * Returns the resident bytes after two garbage collections. After the first one, V8 still frees the
 * buffers of dead objects on another thread, and the second one waits until that is done.
 */
function residentSize(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  return process.memoryUsage.rss();
}

function smallest(target: Target, input: Uint8Array, error: unknown): Promise<Uint8Array> {
  const wanted = messageOf(error);
  const fails = async (candidate: Uint8Array) => {
    try {
      await target.run(candidate.slice());
      return false;
    } catch (other) {
      return messageOf(other) === wanted;
    }
  };
  return shrunk(input, fails);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\d+/g, '#');
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function base64(input: Uint8Array): string {
  return Buffer.from(input).toString('base64');
}

/** The number of inputs after which memory counts as warm. */
const WARM_UP = 50_000;
/** Milliseconds between two reports. */
const PERIOD = 2_000;
/** The most bytes of an input that the watchdog can show. */
const WATCHED = 256 * 1024;
