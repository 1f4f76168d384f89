// The server that is attacked: `server.js [perSource]`. It tells its memory, and sends ticks to
// everybody who is connected.

import { setTimeout as sleep } from 'node:timers/promises';
import { serve, TransportError } from '@trunkline/transport-core';
import { createTcpTransport } from '@trunkline/transport-tcp';
import { commonNow } from '../gossip-processes/common-clock.ts';
import { obey, report } from '../orders.ts';
import { protocol } from './protocol.ts';

export interface ServerOrder {
  /** Tell the memory, and what was counted since. */
  readonly tell?: true;
  /** Send ticks to all for so many milliseconds. */
  readonly ticks?: number;
  /** Dial an address by so many transports, and let go. */
  readonly dial?: { readonly address: string; readonly count: number };
}

export interface ServerReport {
  readonly address?: string;
  readonly state?: ServerState;
  readonly dialed?: Dialed;
}

export interface ServerState {
  /** Bytes. */
  readonly rss: number;
  /** Bytes of messages that waited or were unsent at most, since it was asked last. */
  readonly held: number;
  readonly connections: number;
  /**
   * Since it was asked last: connections refused for want of a place, and accepts that failed in
   * the system.
   */
  readonly refused: number;
  readonly acceptFailed: number;
  /** Milliseconds that the event loop was held up at most. */
  readonly heldUp: number;
}

export interface Dialed {
  readonly up: number;
  /** By code, or reason where there is one. */
  readonly failed: Readonly<Record<string, number>>;
  /** Milliseconds of a dial after all were closed. */
  readonly again: number;
}

const [perSource] = process.argv.slice(2);
let counts = { refused: 0, acceptFailed: 0, heldUp: 0, held: 0 };
const transport = createTcpTransport({
  protocol,
  ...(perSource === undefined ? {} : { limits: { handshakes: { perSource: Number(perSource) } } }),
  observer: {
    event(event) {
      if (event.type === 'rejected' && event.error.reason === 'full') counts.refused++;
      if (event.type === 'acceptFailed' || event.type === 'listenFailed') counts.acceptFailed++;
    },
  },
});
serve(transport, {
  echo: (request) => request,
  fill: ([times = 1]) => new Uint8Array(times * 64 * 1024).fill(1),
  wait: (request, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(request), { once: true })),
});
await transport.listen();

let expected = performance.now() + 10;
const beat = setInterval(() => {
  const now = performance.now();
  counts.heldUp = Math.max(counts.heldUp, now - expected);
  expected = now + 10;
}, 10);

const looking = setInterval(() => {
  counts.held = Math.max(counts.held, transport.snapshot().memory);
}, 100);

obey<ServerOrder, ServerReport>(
  async ({ ticks, dial }) => {
    if (dial !== undefined) return { dialed: await dialMany(dial.address, dial.count) };
    if (ticks !== undefined) await sendTicks(ticks);
    const state = { ...counts, rss: process.memoryUsage.rss(), connections: transport.snapshot().connections.length };
    counts = { refused: 0, acceptFailed: 0, heldUp: 0, held: 0 };
    return { state };
  },
  () => {
    clearInterval(beat);
    clearInterval(looking);
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
  const transports = Array.from({ length: count }, () => createTcpTransport({ protocol }));
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
  const another = createTcpTransport({ protocol });
  const begin = performance.now();
  await another.dial(address);
  const again = performance.now() - begin;
  await another.close();
  return { up, failed, again };
}
