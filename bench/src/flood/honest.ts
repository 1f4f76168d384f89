// An honest peer that stays connected and makes small calls at a steady rate: `honest.js
// <address>`.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, type Transport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { report, runCommands } from '../commands.ts';
import { Messages } from '../messages.ts';
import { tlsOf } from '../secure/nodes.ts';
import { percentile } from '../statistics.ts';
import { protocol } from './protocol.ts';

export interface HonestCommand {
  /** Calls a second. */
  readonly calls: number;
  /** Milliseconds before counting starts, and milliseconds of counting. */
  readonly warmUp: number;
  readonly window: number;
}

export interface HonestReport {
  readonly figures?: HonestFigures;
}

export interface HonestFigures {
  readonly calls: number;
  /** Microseconds from the moment when a call was due. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** Milliseconds that a newcomer from the same address took to connect, make a call, and close. */
  readonly newcomer: number;
}

const [address] = process.argv.slice(2);
const tls = await tlsOf('client');
const transport = open();
const messages = new Messages(64, 1);
await transport.dial(address!);

runCommands<HonestCommand, HonestReport>(
  async ({ calls, warmUp, window }) => {
    const times = await callSteadily(calls, warmUp, window);
    const newcomer = await comeAnew();
    const figure = (part: number) => percentile(times, part) * 1_000;
    return {
      figures: {
        calls: times.length,
        p50: figure(0.5),
        p99: figure(0.99),
        longest: figure(1),
        newcomer,
      },
    };
  },
  () => void transport.close(),
);
report<HonestReport>({});

function open(): Transport<typeof protocol> {
  return createTransport('tcp://127.0.0.1:0', { protocol, maxPool: 1, backends: [tcp({ tls })] });
}

/** Makes calls on schedule, whether or not earlier ones have returned; returns the sorted times. */
async function callSteadily(rate: number, warmUp: number, window: number): Promise<Float64Array> {
  const times: number[] = [];
  const begin = performance.now();
  const end = begin + warmUp + window;
  const pending: Promise<void>[] = [];
  for (let number = 0; ; number++) {
    const due = begin + (number / rate) * 1_000;
    if (due >= end) break;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    pending.push(call(due - begin < warmUp ? [] : times));
  }
  await Promise.all(pending);
  return Float64Array.from(times).sort();
}

async function call(times: number[]): Promise<void> {
  const request = messages.take();
  const made = performance.now();
  const reply = await transport.send(address!, 'echo', request);
  times.push(performance.now() - made);
  messages.check(request, reply);
}

async function comeAnew(): Promise<number> {
  const another = open();
  const begin = performance.now();
  await another.send(address!, 'echo', messages.take());
  const took = performance.now() - begin;
  await another.close();
  return took;
}
