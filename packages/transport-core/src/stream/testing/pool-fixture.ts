// A pool with dials and connections that a test controls.

import type { TransportError } from '../../errors.ts';
import { createManualClock } from '../../manual-clock.ts';
import { methodTable } from '../../protocol/protocol.ts';
import type { Resolver } from '../../resolver.ts';
import { Call } from '../../rpc/call.ts';
import { configOf, mountOf, protocol, turn } from '../../rpc/testing/call-fixture.ts';
import { Memory } from '../../session/memory.ts';
import type { OutCall } from '../../session/outgoing-calls.ts';
import type { Connection, ConnectionHost } from '../connection.ts';
import type { DialTarget } from '../dial.ts';
import { Pool } from '../pool.ts';

const table = methodTable(protocol);

export { turn };

export interface Dial {
  target: string;
  address: string;
  nodeId: string | undefined;
  signal: AbortSignal;
  /** Completes the dial; for a name, `address` is one of its addresses. */
  up(address?: string): Promise<FakeConnection>;
  /** Completes the dial with a connection of another target. */
  find(connection: FakeConnection, address?: string): Promise<void>;
  fail(error: TransportError): Promise<void>;
}

export class FakeConnection {
  over = false;
  readonly started: OutCall[] = [];
  crowded = false;
  readonly parts = { load: 0 };
  readonly target: string;

  constructor(target: string) {
    this.target = target;
  }

  get isUp(): boolean {
    return !this.over;
  }

  /** The number of current holds of the connection. */
  holds = 0;
  readonly #gone: (() => void)[] = [];

  /** The part of a session that the pool uses. */
  get session() {
    const hold = () => {
      this.holds++;
      return () => void this.holds--;
    };
    return { crowded: this.crowded, hold };
  }

  whenGone(): Promise<void> {
    return new Promise((resolve) => this.#gone.push(resolve));
  }

  /** Ends the connection. */
  async end(): Promise<void> {
    this.over = true;
    for (const resolve of this.#gone) resolve();
    await turn();
  }

  readonly caller = { start: (call: OutCall) => void this.started.push(call) };

  get real(): Connection {
    return this as unknown as Connection;
  }
}

export function poolFixture(
  maxPool = 3,
  limit = Number.POSITIVE_INFINITY,
  resolver: Resolver | undefined = undefined,
) {
  const clock = createManualClock(0);
  const dials: Dial[] = [];
  const failed: string[] = [];
  const retries: (number | undefined)[] = [];
  const wakes: number[] = [];
  const retired: FakeConnection[] = [];
  /** Connections to nodes, which a membership knows. */
  const known = new Map<string, FakeConnection>();
  const memory = new Memory(limit);
  const host = {
    config: { maxPool, limits: { packet: 65_536 }, resolve: resolver },
    clock,
    memory,
    random: () => 0.5,
    ticker: clock,
    timer: { by: (time: number) => void wakes.push(time) },
    dialFailed: (target: string, _error: TransportError, retryIn: number | undefined) => {
      failed.push(target);
      retries.push(retryIn);
    },
    retire: (connection: Connection) => {
      retired.push(connection as unknown as FakeConnection);
      pool.forget(connection);
    },
  } as unknown as ConnectionHost;
  const open = (entry: DialTarget, signal: AbortSignal): Promise<Connection> =>
    new Promise((resolve, reject) => {
      const { target, address, nodeId } = entry;
      signal.addEventListener('abort', () => reject(signal.reason));
      dials.push({
        target,
        address,
        nodeId,
        signal,
        up: async (at = address) => {
          const connection = new FakeConnection(target);
          entry.watch?.reached(connection.real, at);
          pool.add(connection.real);
          resolve(connection.real);
          await turn();
          return connection;
        },
        find: async (connection, at = address) => {
          entry.watch?.reached(connection.real, at);
          resolve(connection.real);
          await turn();
        },
        fail: async (error) => {
          reject(error);
          await turn();
        },
      });
    });
  const live = (target: string) => known.get(target)?.real;
  const pool: Pool = new Pool(host);
  Object.assign(pool.dialer, { live, open });
  const call = (
    name: 'ask' | 'tell' = 'ask',
    options: { timeout?: number; signal?: AbortSignal; channel?: number } = {},
  ) => {
    const { timeout = 1_000, signal, channel = protocol.channel } = options;
    const method = { ...table.byName.get(name)!, channel };
    const mount = mountOf({ config: configOf(timeout), ticker: clock });
    const made = new Call(mount, method, new Uint8Array(1), 'a:1', { signal });
    const fate: { error?: TransportError } = {};
    made.promise.catch((error) => {
      fate.error = error;
    });
    return Object.assign(made, { fate });
  };
  /** Starts a call as if it had this target and size. */
  const start = (target: string, made: Call, isBulky = false): void =>
    pool.start(Object.assign(made, { to: target, isBulky: () => isBulky }));
  return { clock, pool, dials, failed, retries, wakes, retired, known, memory, call, start };
}
