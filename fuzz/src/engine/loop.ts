// Runs a target with one input after another, and keeps inputs with new coverage.

import { setImmediate } from 'node:timers/promises';
import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { Corpus } from './corpus.ts';
import type { Coverage } from './coverage.ts';
import { mutated } from './mutate.ts';
import type { Target } from './target.ts';

export interface LoopOptions {
  readonly target: Target;
  /** The number of inputs to run. */
  readonly runs: number;
  readonly seed: number;
  /** Inputs kept from earlier runs. */
  readonly known?: readonly Uint8Array[];
  /** The coverage to track; undefined to measure nothing and leave the corpus as it is. */
  readonly coverage?: Coverage | undefined;
  /** Called with each input before it runs. */
  readonly before?: (input: Uint8Array) => void;
  /** Called after every 256 inputs. */
  readonly after?: (state: LoopState) => void;
  readonly now?: () => number;
  /**
   * Returns milliseconds of CPU time, which leaves out the time of other programs. Default: `now`.
   */
  readonly busy?: () => number;
}

/** An input for which the target threw. */
export interface Crash {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface LoopState {
  readonly runs: number;
  readonly corpus: Corpus;
  readonly crashes: readonly Crash[];
  /** The slowest input and its time in milliseconds. */
  readonly slowest: { readonly input: Uint8Array; readonly time: number };
}

/**
 * Runs the known inputs, then mutated and generated ones. Ends early after `MOST_CRASHES` different
 * crashes. Now and then, pauses between inputs so that promises made by targets can run.
 */
export async function fuzz(options: LoopOptions): Promise<LoopState> {
  const {
    target,
    runs,
    seed,
    known = [],
    coverage,
    before,
    after,
    now = () => 0,
    busy = now,
  } = options;
  const random = seededRandom(seed);
  const corpus = new Corpus();
  const crashes = new Map<string, Crash>();
  let slowest: LoopState['slowest'] = { input: new Uint8Array(0), time: 0 };
  let count = 0;
  const state = (): LoopState => ({ runs: count, corpus, crashes: [...crashes.values()], slowest });

  const run = async (input: Uint8Array, isKept: boolean): Promise<void> => {
    before?.(input);
    coverage?.clear();
    const start = now();
    try {
      // A copy, because a target may write into its input or keep it.
      const running = target.run(input.slice());
      if (running !== undefined) await running;
    } catch (error) {
      const name = nameOf(error);
      if (!crashes.has(name)) crashes.set(name, { input, error });
    }
    let time = now() - start;
    if (time > slowest.time) {
      // One slow run may be the machine's fault; three are the input's.
      for (let again = 0; again < 2 && time > slowest.time; again++)
        time = Math.min(time, await timed(target, input, busy));
      if (time > slowest.time) slowest = { input, time };
    }
    const isNews = coverage === undefined ? isKept : coverage.judge() > 0;
    if (isNews) corpus.add({ input, features: coverage?.features() ?? NONE });
    count++;
  };
  const rest = async () => {
    if (count % 16 === 0) await null;
    if (count % 256 !== 0) return;
    await setImmediate();
    after?.(state());
  };

  for (const input of [...target.seeds(), ...known]) {
    if (count >= runs || crashes.size >= MOST_CRASHES) break;
    await run(input, true);
    await rest();
  }
  const next = inputs(target, corpus, random);
  while (count < runs && crashes.size < MOST_CRASHES) {
    await run(next(), false);
    if (count % 16 === 0) await rest();
  }
  return state();
}

/**
 * Returns an endless source of inputs: mutated ones from the corpus and, if the target makes
 * inputs, a generated one now and then.
 */
function inputs(target: Target, corpus: Corpus, random: Random): () => Uint8Array {
  const { tokens = [], most = MOST_BYTES } = target;
  const words = tokens.map((token) => encoder.encode(token));
  return () => {
    const made = target.make !== undefined && random() < MADE ? target.make(random) : undefined;
    if (made !== undefined && random() < 0.5) return made;
    return mutated(made ?? corpus.pick(random), {
      random,
      other: corpus.pick(random),
      tokens: words,
      most,
    });
  };
}

async function timed(target: Target, input: Uint8Array, now: () => number): Promise<number> {
  const start = now();
  try {
    await target.run(input.slice());
  } catch {
    // The error was recorded by the first run.
  }
  return now() - start;
}

/**
 * Names a crash by the place that threw it, or by its text if there is no place. Crashes with the
 * same name count as one.
 */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const places = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return places.length > 0 ? places.slice(0, 2).join('\n') : error.message.replace(/\d+/g, '#');
}

const encoder = new TextEncoder();
const NONE = new Uint32Array(0);
const MOST_BYTES = 2_048;
const MOST_CRASHES = 10;
/** The share of inputs that are generated, for targets that can. */
const MADE = 0.15;
