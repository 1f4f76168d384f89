// The loads of the benchmark, in the order of its table.

import { jsonCalls } from './json-calls.ts';
import type { Load } from './load.ts';
import { paxos } from './paxos.ts';
import { sharedText } from './shared-text.ts';
import { taskQueue } from './task-queue.ts';

export const LOADS: readonly Load[] = [paxos, taskQueue, jsonCalls, sharedText];
