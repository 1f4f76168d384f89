// The near end of the line: it carries out one task at a time, each over a new connection.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, type Transport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { offer } from '../commands.ts';
import { median } from '../statistics.ts';
import { asked, asking, type Backend, items, MESSAGE, protocol, type Task } from './protocol.ts';
import { measureRaw } from './raw.ts';
import type { ServerCommands } from './server.ts';

interface Measurement {
  readonly backend: Backend | 'raw';
  readonly task: Task;
  /** The total number of bytes. */
  readonly total: number;
  readonly to: ReturnType<ServerCommands['addresses']>;
}

interface Result {
  /** Milliseconds that the task took. */
  readonly time: number;
  /** The median time in milliseconds of small calls beside it; absent if none was made. */
  readonly small?: number | undefined;
}

const commands = { measure };
export type ClientCommands = typeof commands;

offer(commands, () => {});

async function measure({ backend, task, total, to }: Measurement): Promise<Result> {
  if (backend === 'raw') {
    const direction = task === 'upload' || task === 'put' ? 'up' : 'down';
    return { time: await measureRaw(to.host, to.raw, direction, total) };
  }
  const transport = createTransport({ protocol, backends: [tcp(), ws()], timeout: LONGEST });
  const target = to[backend];
  try {
    await transport.send(target, 'get', asking(4)); // Connects before the time counts, as the raw measurement does.
    const times: number[] = [];
    const watch = { over: false };
    let small: Promise<void> | undefined;
    const began = performance.now();
    await carry(transport, target, task, total, () => {
      small = callBeside(transport, target, times, watch);
    });
    const time = performance.now() - began;
    watch.over = true;
    await small;
    return { time, small: times.length === 0 ? undefined : median(times) };
  } finally {
    await transport.close();
  }
}

async function carry(
  transport: Transport<typeof protocol>,
  target: string,
  task: Task,
  total: number,
  streams: () => void,
): Promise<void> {
  let carried = 0;
  if (task === 'upload') {
    streams();
    carried = asked(await transport.send(target, 'upload', asking(0), { upload: items(total) }));
  } else if (task === 'download') {
    streams();
    for await (const { length } of await transport.send(target, 'download', asking(total)))
      carried += length;
  } else {
    const message = new Uint8Array(MESSAGE);
    while (carried < total) {
      if (task === 'put') carried += asked(await transport.send(target, 'put', message));
      else carried += (await transport.send(target, 'get', asking(MESSAGE))).length;
    }
  }
  if (carried < total) throw new Error(`${task}: ${carried} of ${total} bytes arrived`);
}

/** Times small calls once a stream is under way, until it is over. */
async function callBeside(
  transport: Transport<typeof protocol>,
  target: string,
  times: number[],
  watch: { readonly over: boolean },
): Promise<void> {
  await sleep(UNDER_WAY, undefined, { ref: false });
  while (!watch.over) {
    const began = performance.now();
    await transport.send(target, 'get', asking(4));
    times.push(performance.now() - began);
    await sleep(PAUSE);
  }
}

/**
 * Milliseconds: the limit of a task, the wait until small calls begin, and the pause between them.
 */
const LONGEST = 120_000;
const UNDER_WAY = 1_500;
const PAUSE = 20;
