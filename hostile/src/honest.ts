// The honest peer: it stays connected, makes small calls at a steady rate, and a long one now and
// then.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '@trunkline/transport-core';
import type { Carrier } from './carriers.ts';
import type { RunCredentials } from './credentials.ts';
import { dialingNode } from './node.ts';
import { serveCommands } from './parent-channel.ts';
import type { victimProtocol } from './victim-protocol.ts';

export type HonestCommand =
  | {
      readonly do: 'start';
      readonly carrier: Carrier;
      readonly credentials: RunCredentials;
      readonly address: string;
    }
  /** Makes many calls at once, so that the heaps of both ends grow to a working size. */
  | { readonly do: 'warm' }
  /** Measures until `stop`, whose answer is the report. */
  | { readonly do: 'measure' }
  | { readonly do: 'stop' };

export interface HonestReport {
  /** The milliseconds that each small call took until it was answered. */
  readonly times: Float64Array;
  /** Small calls that failed, by code; long ones are counted separately. */
  readonly failed: Readonly<Record<string, number>>;
  readonly longCalls: number;
  readonly longFailed: Readonly<Record<string, number>>;
}

let transport: Transport<typeof victimProtocol>;
let address: string;
let measurement: { readonly end: () => Promise<HonestReport> } | undefined;

serveCommands<HonestCommand, HonestReport>(
  async (command) => {
    if (command.do === 'start') {
      transport = dialingNode(command);
      address = command.address;
      await transport.send(address, 'echo', SMALL);
    } else if (command.do === 'warm') await Promise.all(Array.from({ length: WARM_AT_ONCE }, warm));
    else if (command.do === 'measure') measurement = measure();
    else return measurement!.end();
    return NOTHING;
  },
  () => void transport?.close(),
);

async function warm(): Promise<void> {
  for (let call = 0; call < WARM_CALLS / WARM_AT_ONCE; call++)
    await transport.send(address, 'hold', SMALL, { timeout: 1 + (call % 8) }).catch(() => {});
}

function measure(): { readonly end: () => Promise<HonestReport> } {
  const times: number[] = [];
  const failed: Record<string, number> = {};
  const longFailed: Record<string, number> = {};
  let longCalls = 0;
  let isOver = false;

  async function small(): Promise<void> {
    const made = performance.now();
    try {
      await transport.send(address, 'echo', SMALL);
      times.push(performance.now() - made);
    } catch (error) {
      count(failed, error);
    }
  }

  async function steadily(): Promise<void> {
    const pending: Promise<void>[] = [];
    const begin = performance.now();
    for (let number = 0; !isOver; number++) {
      const wait = begin + number * INTERVAL - performance.now();
      if (wait > 0) await sleep(wait);
      pending.push(small());
    }
    await Promise.all(pending);
  }

  async function atLength(): Promise<void> {
    while (!isOver) {
      await transport.send(address, 'size', LONG).catch((error) => count(longFailed, error));
      longCalls++;
      await sleep(LONG_INTERVAL);
    }
  }

  const through = Promise.all([steadily(), atLength()]);
  return {
    async end() {
      isOver = true;
      await through;
      return { times: Float64Array.from(times), failed, longCalls, longFailed };
    },
  };
}

function count(counts: Record<string, number>, error: unknown): void {
  const { code, reason } = error as { code?: string; reason?: string };
  const name = reason === undefined ? String(code) : `${code}/${reason}`;
  counts[name] = (counts[name] ?? 0) + 1;
}

const NOTHING: HonestReport = {
  times: new Float64Array(0),
  failed: {},
  longCalls: 0,
  longFailed: {},
};
const WARM_CALLS = 40_000;
const WARM_AT_ONCE = 512;
const SMALL = new Uint8Array(64);
const LONG = new Uint8Array(1_048_576);
/** Milliseconds between two small calls, and from the end of a long call to the next one. */
const INTERVAL = 2;
const LONG_INTERVAL = 150;
