// Measures where the time of a simulation goes with the sampling profiler of the runtime: shares of
// self time, by file.

import { Session } from 'node:inspector/promises';

/** Shares of the CPU time by file, 0 to 1. */
export type Shares = ReadonlyMap<string, number>;

export async function sharesOf(work: () => Promise<unknown>): Promise<Shares> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => [id, partOf(callFrame.functionName, callFrame.url)]),
  );
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
    [...PARTS.map(([name]) => name), 'garbage', 'the rest'].map((name) => [
      name,
      (times.get(name) ?? 0) / total,
    ]),
  );
}

function partOf(name: string, url: string): string | undefined {
  if (name === '(idle)' || name === '(program)' || name === '(root)') return undefined;
  if (name === '(garbage collector)') return 'garbage';
  return PARTS.find(([, pattern]) => pattern.test(`${url} ${name}`))?.[0] ?? 'the rest';
}

const PARTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['trace', /kernel\/trace\.js|@noble\/hashes/],
  ['drain', /kernel\/event-loop\.js drive/],
  ['queue', /kernel\/(event-queue|event-loop)\.js/],
  ['network', /simulation\/dist|stream\/memory\//],
  ['codec', /transport-core\/dist\/(wire|protocol)\//],
  ['session and calls', /transport-core\/dist/],
];
