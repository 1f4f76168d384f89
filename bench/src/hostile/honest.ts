// Honest peers: `honest.js <address>`. One makes small calls at a steady rate; the others receive
// the server's ticks.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { report, runCommands } from '../commands.ts';
import { commonNow } from '../gossip-processes/common-clock.ts';
import { percentile } from '../statistics.ts';
import { protocol } from './protocol.ts';

export interface HonestCommand {
  /** Make 500 calls a second for this many milliseconds, and count all but the first third. */
  readonly calls?: number;
  /** Run this many peers that receive ticks. */
  readonly receivers?: number;
  /** Report how long ticks took since the last such command. */
  readonly tickTimes?: true;
  /** Connect again, make a call, and disconnect. */
  readonly newcomer?: true;
}

export interface HonestReport {
  readonly times?: Times;
  /** Milliseconds that the newcomer took. */
  readonly newcomer?: number;
}

export interface Times {
  readonly count: number;
  /** Times of calls in microseconds. */
  readonly p50: number;
  readonly p99: number;
}

const [address] = process.argv.slice(2);
const transport = createTransport({ protocol, maxPool: 1, backends: [tcp()] });
const request = new Uint8Array(64);
await transport.dial(address!);
const receivers: ReturnType<typeof open>[] = [];
let ticks: number[] = [];

runCommands<HonestCommand, HonestReport>(
  async ({ calls, receivers: count, newcomer }) => {
    if (calls !== undefined) return { times: await callSteadily(calls) };
    if (newcomer !== undefined) return { newcomer: await timeNewcomer() };
    if (count !== undefined) {
      for (let i = 0; i < count; i++) {
        const receiver = open();
        await receiver.dial(address!);
        receivers.push(receiver);
      }
      return {};
    }
    const times = timesOf(ticks);
    ticks = [];
    return { times };
  },
  () => {
    for (const each of [transport, ...receivers]) void each.close();
  },
);
report<HonestReport>({});

function open() {
  const receiver = createTransport({ protocol, maxPool: 1, backends: [tcp()] });
  serve(receiver, {
    tick: (sent) =>
      void ticks.push(
        (commonNow() - new DataView(sent.buffer, sent.byteOffset).getFloat64(0)) / 1e6,
      ),
  });
  return receiver;
}

/** Makes calls on schedule, whether or not earlier ones have returned. */
async function callSteadily(milliseconds: number): Promise<Times> {
  const times: number[] = [];
  const begin = performance.now();
  const pending: Promise<void>[] = [];
  for (let due = begin; due < begin + milliseconds; due += 2) {
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    pending.push(call(due - begin < milliseconds / 3 ? [] : times));
  }
  await Promise.all(pending);
  return timesOf(times);
}

async function call(times: number[]): Promise<void> {
  const made = performance.now();
  await transport.send(address!, 'echo', request);
  times.push(performance.now() - made);
}

async function timeNewcomer(): Promise<number> {
  const another = createTransport({
    protocol,
    dialTimeout: 30_000,
    handshakeTimeout: 30_000,
    backends: [tcp()],
  });
  const begin = performance.now();
  await another.send(address!, 'echo', request, { timeout: 30_000 });
  const took = performance.now() - begin;
  await another.close();
  return took;
}

function timesOf(milliseconds: readonly number[]): Times {
  const sorted = Float64Array.from(milliseconds).sort();
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5) * 1_000,
    p99: percentile(sorted, 0.99) * 1_000,
  };
}
