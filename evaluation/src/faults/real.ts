// A fault on a real line: two processes in two network namespaces, one TCP connection between them.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '@trunkline/bench/child-process';
import { Line } from '@trunkline/bench/long-line/line';
import type { Command, Report } from './end.ts';
import type { Fates, FaultKind } from './kinds.ts';

export async function runReal(kind: FaultKind, number: number): Promise<Fates> {
  const line = new Line(`-${number}`);
  const stopped = () => line.lower();
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  const children: Child<Command, Report>[] = [];
  try {
    await line.raise({ delay: kind.delay });
    const callee = await Child.start<Command, Report>({
      name: 'the callee',
      script: new URL('./end.js', import.meta.url).href,
      args: [line.host],
      network: line.far,
    });
    children.push(callee.child);
    const caller = await Child.start<Command, Report>({
      name: 'the caller',
      script: new URL('./end.js', import.meta.url).href,
      network: line.near,
    });
    children.push(caller.child);
    const place = { line, calleePid: callee.child.pid };
    const calls = [
      callee.child.run({ call: { to: undefined, size: 64 } }),
      caller.child.run({ call: { to: callee.report.address, size: kind.size } }),
    ];
    await Promise.all(calls);
    await sleep(SETTLING);
    const ends = [caller.child, callee.child] as const;
    await Promise.all(ends.map((end) => end.run({ fault: 'begins' })));
    kind.begin(place);
    await sleep(kind.lasts * 1_000);
    kind.end?.(place);
    await sleep((kind.watched - kind.lasts) * 1_000);
    const [one, other] = await Promise.all(ends.map((end) => end.run({ fault: 'is over' })));
    return { caller: one!.fate!, callee: other!.fate! };
  } finally {
    for (const child of children) child.kill();
    line.lower();
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
  }
}

/** The time in milliseconds that calls run before the fault. */
const SETTLING = 1_000;
