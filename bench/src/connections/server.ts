// The process whose memory is measured: `server.js <kind>`.

import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { report, runCommands } from '../commands.ts';
import { type Counts, kindOf } from './kinds.ts';

/** A command of the parent. */
export type ServerCommand = { readonly type: 'counts' | 'memory' | 'heard' };

export interface ServerReport {
  readonly address?: string;
  readonly counts?: Counts;
  readonly memory?: Memory;
  /** Connections that received something since the last time. */
  readonly heard?: number;
}

/** Memory in bytes, after GC. */
export interface Memory {
  /**
   * RSS without the young generation, where V8 keeps recent allocations. It grows once, with the
   * objects that survive in it (from 7 to 29 MiB while 2,000 connections open, and not at all with
   * 2,000 more), keeps its size after GC, and would add 12 KiB to each of those connections.
   */
  readonly rss: number;
  /** Heap in use. */
  readonly heap: number;
}

const counts: Counts = { up: 0, down: 0 };
const serving = await kindOf(process.argv[2]!).serve(counts);
let before: ReadonlyMap<string, number> = new Map();

runCommands<ServerCommand, ServerReport>(
  async ({ type }) => {
    if (type === 'counts') return { counts };
    if (type === 'memory') return { memory: await settled() };
    return { heard: heard() };
  },
  () => void serving.close(),
);
report<ServerReport>({ address: serving.address });

/**
 * Collects garbage until nothing more is freed: memory freed by finalizers is collected in a later
 * round.
 */
async function settled(): Promise<Memory> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0, vain = 0; round < MOST_ROUNDS && vain < VAIN_ROUNDS; round++) {
    (globalThis as { gc?: () => void }).gc?.();
    await sleep(100);
    const { heapUsed } = process.memoryUsage();
    vain = heapUsed > least * 0.995 ? vain + 1 : 0;
    least = Math.min(least, heapUsed);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: rss - youngGeneration(), heap: heapUsed };
}

function youngGeneration(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
      ?.physical_space_size ?? 0
  );
}

function heard(): number {
  const after = serving.received?.() ?? new Map<string, number>();
  const count = [...after].filter(([id, bytes]) => bytes > (before.get(id) ?? 0)).length;
  before = after;
  return count;
}

const VAIN_ROUNDS = 3;
const MOST_ROUNDS = 30;
