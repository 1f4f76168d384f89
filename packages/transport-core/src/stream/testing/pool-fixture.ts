// A pool with dials and connections that a test controls.

import type { TransportError } from '../../errors.ts';
import { createManualClock } from '../../manual-clock.ts';
import { bytes } from '../../protocol/bytes.ts';
import { defineProtocol, methodTable } from '../../protocol/protocol.ts';
import { Call, type CallHost } from '../../rpc/call.ts';
import { Memory } from '../../session/memory.ts';
import type { OutCall } from '../../session/out-call.ts';
import type { Connection } from '../connection.ts';
import { Pool } from '../pool.ts';

export const protocol = defineProtocol({
  name: 'pool',
  version: 1,
  channel: 0x20,
  methods: { ask: { id: 1, request: bytes, response: bytes }, tell: { id: 2, request: bytes } },
});

export const table = methodTable(protocol);

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export interface Dial {
  target: string;
  address: string;
  nodeId: string | undefined;
  signal: AbortSignal;
  /** Completes the dial. */
  up(): Promise<FakeConnection>;
  fail(error: TransportError): Promise<void>;
}

export class FakeConnection {
  over = false;
  readonly started: OutCall[] = [];
  crowded = false;
  readonly figures = { load: 0 };
  readonly target: string;

  constructor(target: string) {
    this.target = target;
  }

  get isUp(): boolean {
    return !this.over;
  }

  send(call: OutCall): void {
    this.started.push(call);
  }

  get real(): Connection {
    return this as unknown as Connection;
  }
}

export function poolFixture(maxPool = 3, limit = Number.POSITIVE_INFINITY) {
  const clock = createManualClock(0);
  const dials: Dial[] = [];
  const failed: string[] = [];
  const wakes: number[] = [];
  const memory = new Memory(limit);
  const pool: Pool = new Pool({
    config: { maxPool, limits: { packet: 65_536 } },
    memory,
    known: () => undefined,
    now: () => clock.now(),
    wakeBy: (time) => void wakes.push(time),
    dialFailed: (target) => void failed.push(target),
    open: (target, address, nodeId, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        dials.push({
          target,
          address,
          nodeId,
          signal,
          up: async () => {
            const connection = new FakeConnection(target);
            pool.add(connection.real);
            resolve(connection.real);
            await turn();
            return connection;
          },
          fail: async (error) => {
            reject(error);
            await turn();
          },
        });
      }),
  });
  const call = (
    name: 'ask' | 'tell' = 'ask',
    options: { timeout?: number; signal?: AbortSignal; channel?: number } = {},
  ) => {
    const method = table.byName.get(name)!;
    const { timeout = 1_000, signal } = options;
    const host: CallHost = {
      channel: options.channel ?? protocol.channel,
      ordered: false,
      timeout,
      ticker: clock,
      begin: () => 0,
      settled: () => {},
      wakeBy: () => {},
    };
    const made = new Call<unknown>(host, method, new Uint8Array(1), 'a:1', { signal });
    const fate: { error?: TransportError } = {};
    made.promise.catch((error) => {
      fate.error = error;
    });
    return Object.assign(made, { fate });
  };
  /** Starts a call as if it had this target and size. */
  const start = (target: string, made: Call<unknown>, isBulky = false): void =>
    pool.start(Object.assign(made, { target, isBulky: () => isBulky }));
  return { clock, pool, dials, failed, wakes, memory, call, start };
}
