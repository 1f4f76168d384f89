// Measures where the time of a simulation goes with the sampling profiler of the runtime: shares of
// self time. A function of the runtime counts as the code that called it.

import { Session } from 'node:inspector/promises';
import type { Figure, Figures } from '../benchmark.ts';

/** Shares of the CPU time by part, 0 to 1. */
export type Shares = ReadonlyMap<string, number>;

/** A part of the code: its name, and a pattern of the file and name of its functions. */
export type Part = readonly [name: string, pattern: RegExp];

export async function sharesOf(
  work: () => Promise<unknown>,
  parts: readonly Part[],
): Promise<Shares> {
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
    const own = partOf(callFrame.functionName, callFrame.url, parts);
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
  return new Map(
    [...parts.map(([name]) => name), GARBAGE, REST].map((name) => [
      name,
      (times.get(name) ?? 0) / total,
    ]),
  );
}

/** The shares as figures in percent. */
export function percentOf(shares: Shares): Figures {
  return Object.fromEntries([...shares].map(([name, share]) => [name, 100 * share]));
}

export function sharesFigures(parts: readonly Part[]): Figure[] {
  return [...parts.map(([name]) => name), GARBAGE, REST].map((name) => ({
    key: name,
    unit: `${name}, %`,
    compared: 'never',
  }));
}

/** Returns the part of a function, `CALLER`, or undefined for time that is not counted. */
function partOf(name: string, url: string, parts: readonly Part[]): string | undefined {
  if (name === '(idle)' || name === '(program)' || name === '(root)') return undefined;
  if (name === '(garbage collector)') return GARBAGE;
  const part = parts.find(([, pattern]) => pattern.test(`${url} ${name}`))?.[0];
  return part ?? (url === '' || url.startsWith('node:') ? CALLER : REST);
}

/** The part of a function that belongs to the runtime: that of its caller. */
const CALLER = 'its caller';
const GARBAGE = 'garbage';
const REST = 'the rest';

export const PARTS: readonly Part[] = [
  ['trace', /kernel\/trace\.js|@noble\/hashes/],
  ['drain', /kernel\/event-loop\.js drive/],
  ['queue', /kernel\/(event-queue|event-loop)\.js/],
  ['network', /simulation\/dist|stream\/memory\//],
  ['codec', /transport-core\/dist\/(wire|protocol)\//],
  ['session and calls', /transport-core\/dist/],
];

/** The parts by owner: the program that is simulated, and Trunkline's packages. */
export const OWNERS: readonly Part[] = [
  ['load', /bench\/dist\/simulation\/loads\/|node_modules\/(zod|yjs|lib0)\//],
  ['simulation', /packages\/simulation\/|@noble\/hashes|inmem\/dist\/simulation\//],
  ['peers and gossip', /packages\/(peers|gossip)\//],
  ['codecs', /packages\/transport-core\/dist\/protocol\//],
  ['transport', /packages\/transport-/],
];
