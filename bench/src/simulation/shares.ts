// Measures where the time of a simulation goes with the sampling profiler of the runtime: shares of
// self time. A function of the runtime counts as the code that called it.

import { Session } from 'node:inspector/promises';
import type { Figure, Figures } from '../benchmark.ts';

/** Returns the shares of the parts in percent, while `work` runs. */
export async function sharesOf(work: () => Promise<unknown>): Promise<Figures> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const names = new Map<number, string | undefined>();
  // Parents come before their children.
  for (const { id, callFrame, children = [] } of profile.nodes) {
    const own = partOf(callFrame.functionName, callFrame.url);
    const name = own === CALLER ? names.get(id) : own;
    names.set(id, name ?? (own === CALLER ? REST : undefined));
    for (const child of children) names.set(child, name);
  }
  const times = new Map<string, number>();
  let total = 0;
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const name = names.get(id);
    if (name === undefined) continue;
    const time = profile.timeDeltas?.[at] ?? 0;
    times.set(name, (times.get(name) ?? 0) + time);
    total += time;
  }
  return Object.fromEntries(
    NAMES.map((name) => [name, (100 * (times.get(name) ?? 0)) / total] as const),
  );
}

/** Returns the part of a function, `CALLER`, or undefined for time that is not counted. */
function partOf(name: string, url: string): string | undefined {
  if (name === '(idle)' || name === '(program)' || name === '(root)') return undefined;
  if (name === '(garbage collector)') return GARBAGE;
  const part = PARTS.find(([, pattern]) => pattern.test(`${url} ${name}`))?.[0];
  return part ?? (url === '' || url.startsWith('node:') ? CALLER : REST);
}

/** The part of a function that belongs to the runtime: that of its caller. */
const CALLER = 'its caller';
const GARBAGE = 'garbage';
const REST = 'the rest';

/**
 * The program that is simulated, and Trunkline's packages, each with a pattern of the file and name
 * of its functions.
 */
const PARTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['load', /bench\/dist\/simulation\/loads\/|node_modules\/(zod|yjs|lib0)\//],
  ['simulation', /packages\/simulation\/|@noble\/hashes|inmem\/dist\/simulation\//],
  ['peers and gossip', /packages\/(peers|gossip)\//],
  ['codecs', /packages\/transport-core\/dist\/protocol\//],
  ['transport', /packages\/transport-/],
];
const NAMES = [...PARTS.map(([name]) => name), GARBAGE, REST];

export const SHARES: readonly Figure[] = NAMES.map((name) => ({
  key: name,
  unit: `${name}, %`,
  compared: 'never',
}));
