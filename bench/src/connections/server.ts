// The process whose memory is measured: `server.js <kind>`.

import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { report, runCommands } from '../commands.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { Counts } from './kind.ts';

/** A command of the parent. 'mark' starts the period that 'heard' counts. */
export type ServerCommand = { readonly type: 'counts' | 'memory' | 'mark' | 'heard' };

export interface ServerReport {
  readonly address?: string;
  readonly counts?: Counts;
  readonly memory?: Memory;
  /** Connections that received something since the mark; absent if they are not counted. */
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
  /**
   * Heap in use, and the memory outside the heap that V8 accounts for, which includes ArrayBuffers.
   */
  readonly heap: number;
  readonly external: number;
}

const counts: Counts = { up: 0, down: 0 };
const serving = await kindOf(process.argv[2] as KindName).serve(counts);
let marked: ReadonlyMap<string, number> | undefined;

runCommands<ServerCommand, ServerReport>(
  async ({ type }) => {
    if (type === 'counts') return { counts };
    if (type === 'memory') return { memory: await settled() };
    if (type === 'mark') marked = serving.received?.();
    else if (marked !== undefined) return { heard: heardSince(marked) };
    return {};
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
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss: rss - youngGeneration(), heap: heapUsed, external };
}

function youngGeneration(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
      ?.physical_space_size ?? 0
  );
}

function heardSince(before: ReadonlyMap<string, number>): number {
  const after = serving.received!();
  return [...before].filter(([id, bytes]) => (after.get(id) ?? 0) > bytes).length;
}

const VAIN_ROUNDS = 3;
const MOST_ROUNDS = 30;
