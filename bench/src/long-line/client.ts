// The near end of the line: it carries out one task at a time, each over a new connection.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, type Transport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { runCommands } from '../commands.ts';
import { median } from '../statistics.ts';
import { type Backend, items, MESSAGE, protocol, type Task } from './protocol.ts';
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
  /** The median time in milliseconds of small calls beside a stream; NaN if none was made. */
  readonly small?: number | undefined;
}

const commands = { measure };
export type ClientCommands = typeof commands;

runCommands(commands, () => {});

async function measure({ backend, task, total, to }: Measurement): Promise<Result> {
  if (backend === 'raw') {
    const direction = task === 'upload' || task === 'put' ? 'up' : 'down';
    return { time: await measureRaw(to.host, to.raw, direction, total) };
  }
  const transport = createTransport({ protocol, backends: [tcp(), ws()], timeout: LONGEST });
  const target = to[backend];
  const end = new AbortController();
  try {
    // Connects before the time counts, as the raw measurement does.
    await transport.send(target, 'get', 4);
    const began = performance.now();
    const isStream = task === 'upload' || task === 'download';
    const small = isStream ? callBeside(transport, target, end.signal) : undefined;
    const carried = await carry(transport, target, task, total).finally(() => end.abort());
    const time = performance.now() - began;
    if (carried < total) throw new Error(`${task}: ${carried} of ${total} bytes arrived`);
    return { time, small: await small };
  } finally {
    await transport.close();
  }
}

/** Returns the number of bytes that were carried. */
async function carry(
  transport: Transport<typeof protocol>,
  target: string,
  task: Task,
  total: number,
): Promise<number> {
  if (task === 'upload') return transport.send(target, task, 0, { upload: items(total) });
  let carried = 0;
  if (task === 'download') {
    for await (const { length } of await transport.send(target, task, total)) carried += length;
    return carried;
  }
  const message = new Uint8Array(MESSAGE);
  while (carried < total) {
    if (task === 'put') carried += await transport.send(target, task, message);
    else carried += (await transport.send(target, 'get', MESSAGE)).length;
  }
  return carried;
}

/** Makes small calls once a stream is under way, until it ends, and returns their median time. */
async function callBeside(
  transport: Transport<typeof protocol>,
  target: string,
  end: AbortSignal,
): Promise<number> {
  const times: number[] = [];
  await sleep(UNDER_WAY, undefined, { ref: false });
  while (!end.aborted) {
    const began = performance.now();
    await transport.send(target, 'get', 4);
    times.push(performance.now() - began);
    await sleep(PAUSE);
  }
  return median(times);
}

/**
 * Milliseconds: the limit of a task, the wait until small calls begin, and the pause between them.
 */
const LONGEST = 120_000;
const UNDER_WAY = 1_500;
const PAUSE = 20;
