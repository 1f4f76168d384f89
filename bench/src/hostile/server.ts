// The server that is attacked: `server.js [perSource]`. It reports its memory and sends ticks to
// every connected peer.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, serve, TransportError } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { report, runCommands } from '../commands.ts';
import { commonNow } from '../gossip-processes/common-clock.ts';
import { protocol } from './protocol.ts';

export interface ServerCommand {
  /** Report the memory, and what was counted since the last report. */
  readonly state?: true;
  /** Send ticks to all peers for this many milliseconds. */
  readonly ticks?: number;
  /** Dial an address from this many transports, then close them. */
  readonly dial?: { readonly address: string; readonly count: number };
}

export interface ServerReport {
  readonly address?: string;
  readonly state?: ServerState;
  readonly dialed?: Dialed;
}

export interface ServerState {
  /** Resident bytes. */
  readonly rss: number;
  /** The most bytes of messages that were queued or unsent since the last report. */
  readonly held: number;
  readonly connections: number;
  /**
   * Since the last report: connections refused because no slot was free, and accepts that failed in
   * the operating system.
   */
  readonly refused: number;
  readonly acceptFailed: number;
  /** The longest delay of the event loop, in milliseconds. */
  readonly loopDelay: number;
}

export interface Dialed {
  readonly up: number;
  /** Failed dials by reason, or by code if there is no reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Milliseconds of a dial after all transports were closed. */
  readonly again: number;
}

const [perSource] = process.argv.slice(2);
let counts = { refused: 0, acceptFailed: 0, loopDelay: 0, held: 0 };
const transport = createTransport('tcp://127.0.0.1:0', {
  protocol,
  ...(perSource === undefined ? {} : { limits: { handshakes: { perSource: Number(perSource) } } }),
  observer: {
    event(event) {
      if (event.type === 'rejected' && event.error.reason === 'full') counts.refused++;
      if (event.type === 'acceptFailed' || event.type === 'listenFailed') counts.acceptFailed++;
    },
  },
  backends: [tcp()],
});
serve(transport, {
  echo: (request) => request,
  fill: ([times = 1]) => new Uint8Array(times * 64 * 1024).fill(1),
  wait: (request, { signal }) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve(request), { once: true }),
    ),
});
await transport.listen();

let expected = performance.now() + 10;
const loopTimer = setInterval(() => {
  const now = performance.now();
  counts.loopDelay = Math.max(counts.loopDelay, now - expected);
  expected = now + 10;
}, 10);

const memoryTimer = setInterval(() => {
  counts.held = Math.max(counts.held, transport.snapshot().memory);
}, 100);

runCommands<ServerCommand, ServerReport>(
  async ({ ticks, dial }) => {
    if (dial !== undefined) return { dialed: await dialMany(dial.address, dial.count) };
    if (ticks !== undefined) await sendTicks(ticks);
    const state = {
      ...counts,
      rss: process.memoryUsage.rss(),
      connections: transport.snapshot().connections.length,
    };
    counts = { refused: 0, acceptFailed: 0, loopDelay: 0, held: 0 };
    return { state };
  },
  () => {
    clearInterval(loopTimer);
    clearInterval(memoryTimer);
    void transport.close();
  },
);
report<ServerReport>({ address: transport.localAddr() });

async function sendTicks(milliseconds: number): Promise<void> {
  const tick = new Uint8Array(8);
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    new DataView(tick.buffer).setFloat64(0, commonNow());
    transport.trySendAll(transport.remotes(), 'tick', tick);
    await sleep(10);
  }
}

async function dialMany(address: string, count: number): Promise<Dialed> {
  const transports = Array.from({ length: count }, () =>
    createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] }),
  );
  const failed: Record<string, number> = {};
  let up = 0;
  const one = async (each: (typeof transports)[number]) => {
    try {
      await each.dial(address);
      up++;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const name = error.reason ?? error.code;
      failed[name] = (failed[name] ?? 0) + 1;
    }
  };
  await Promise.all(transports.map(one));
  await Promise.all(transports.map((each) => each.close()));
  const another = createTransport({ protocol, backends: [tcp()] });
  const begin = performance.now();
  await another.dial(address);
  const again = performance.now() - begin;
  await another.close();
  return { up, failed, again };
}
