// More seeds of Raft under each nemesis than the quick run tries.

import test from 'ava';
import { nemesisCases } from './testing/nemesis-cases.ts';

for (const level of ['message', 'stream'] as const) nemesisCases(test, { level, from: 2, seeds: 4 });
