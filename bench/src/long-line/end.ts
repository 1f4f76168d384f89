// An end of the line: the far one serves Trunkline over TCP and WebSocket, and raw sockets. The
// near one carries out one task at a time, each over a new connection.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, serve, type Transport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { runCommands } from '../commands.ts';
import { median } from '../statistics.ts';
import { type Backend, items, MESSAGE, protocol, type Task } from './protocol.ts';
import { measureRaw, serveRaw } from './raw.ts';

interface Measurement {
  readonly backend: Backend | 'raw';
  readonly task: Task;
  /** The total number of bytes. */
  readonly total: number;
  /** The addresses of the far end. */
  readonly to: Awaited<ReturnType<typeof serveAll>>;
}

const OPTIONS = { protocol, backends: [tcp(), ws()] };
const commands = { serve: serveAll, measure };
export type EndCommands = typeof commands;

runCommands(commands, () => process.kill(process.pid, 'SIGKILL'));

/** Serves on a host, and returns the addresses. */
async function serveAll(host: string) {
  const listen = async (backend: Backend) => {
    const transport = createTransport(`${backend}://${host}:0`, OPTIONS);
    serve(transport, {
      upload: async (_, { upload }) => {
        let size = 0;
        for await (const item of upload) size += item.length;
        return size;
      },
      download: (size) => items(size),
      put: ({ length }) => length,
      get: (size) => new Uint8Array(size),
    });
    await transport.listen();
    return transport.advertiseAddr()!;
  };
  const raw = serveRaw().listen(0, host);
  await once(raw, 'listening');
  const { port } = raw.address() as AddressInfo;
  return { host, raw: port, tcp: await listen('tcp'), ws: await listen('ws') };
}

/**
 * Returns the milliseconds that a task took, and the median time of small calls beside a stream;
 * NaN if none was made.
 */
async function measure({ backend, task, total, to }: Measurement) {
  if (backend === 'raw') {
    const direction = task === 'upload' || task === 'put' ? 'up' : 'down';
    return { time: await measureRaw(to.host, to.raw, direction, total), small: undefined };
  }
  const transport = createTransport({ ...OPTIONS, timeout: LONGEST });
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
