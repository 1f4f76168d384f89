// A fault on a real line: two processes in two network namespaces, one TCP connection between them.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '@trunkline/bench/child-process';
import { Line } from '@trunkline/bench/long-line/line';
import type { EndCommands } from './end.ts';
import type { Fates, FaultKind } from './kinds.ts';

export async function runReal(kind: FaultKind, number: number): Promise<Fates> {
  const line = new Line(`-${number}`);
  const stopped = () => line.lower();
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  const ends: Child<EndCommands>[] = [];
  try {
    await line.raise({ delay: kind.delay });
    const start = async (name: string, network: string, ...args: string[]) => {
      const script = new URL('./end.js', import.meta.url).href;
      const end = await Child.start<EndCommands>({ name, script, args, network });
      ends.push(end);
      return end;
    };
    const callee = await start('the callee', line.far, line.host);
    const caller = await start('the caller', line.near);
    const place = { line, calleePid: callee.pid };
    const address = await callee.call('address');
    await Promise.all([
      callee.call('begin', undefined, 64),
      caller.call('begin', address, kind.size),
    ]);
    await sleep(SETTLING);
    await Promise.all(ends.map((end) => end.call('beginFault')));
    kind.begin(place);
    await sleep(kind.lasts * 1_000);
    kind.end?.(place);
    await sleep((kind.watched - kind.lasts) * 1_000);
    return { caller: await caller.call('end'), callee: await callee.call('end') };
  } finally {
    for (const end of ends) end.kill();
    line.lower();
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
  }
}

/** The time in milliseconds that calls run before the fault. */
const SETTLING = 1_000;
