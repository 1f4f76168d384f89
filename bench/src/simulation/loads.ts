// The loads of the benchmark, in the order of its table.

import { jsonCalls } from './loads/json-calls.ts';
import type { Load } from './loads/load.ts';
import { paxos } from './loads/paxos.ts';
import { sharedText } from './loads/shared-text.ts';
import { taskQueue } from './loads/task-queue.ts';

export const LOADS: readonly Load[] = [paxos, taskQueue, jsonCalls, sharedText];
