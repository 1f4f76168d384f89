// S8: the server's memory for each of 2,000 idle connections that have each made one call.

import type { Setting } from '../pair.ts';
import type { Figures } from '../stopwatch.ts';
import { KIND_NAMES } from './kinds.ts';
import { withConnections } from './measure.ts';

export const IDLE_NAMES: readonly string[] = KIND_NAMES;

export function measureIdle(
  kind: string,
  { smoke, node }: Setting & { readonly smoke: boolean },
): Promise<Figures> {
  const count = smoke ? 40 : 2_000;
  return withConnections(kind, { clients: 1, node }, async ({ open, memory }) => {
    // Opens half as many connections first, so that memory allocated once is not counted per
    // connection, and because V8 goes on compiling for that long.
    await open(count / 2);
    const before = await memory();
    const begin = performance.now();
    await open(count);
    const seconds = (performance.now() - begin) / 1_000;
    const after = await memory();
    const each = (of: 'rss' | 'heap') => (after[of] - before[of]) / count / 1024;
    return { rate: count / seconds, rss: each('rss'), heap: each('heap') };
  });
}
