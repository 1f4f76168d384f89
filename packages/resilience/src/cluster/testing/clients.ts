// Clients of a cluster in tests: each has a connection of its own.

import { createTransport, type Transport, type TransportError } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { ExecutionContext } from 'ava';
import { protocol } from './protocol.ts';

export type Client = Transport<typeof protocol>;

/** Creates a client, which is closed after the test. */
export function client(t: ExecutionContext): Client {
  const transport = createTransport({ protocol, backends: [tcp()] });
  t.teardown(() => transport.close());
  return transport;
}

/**
 * Connects clients, one after the other, and returns them with the number of connections of each
 * worker. node:cluster hands a connection to the worker that has been free for the longest time, so
 * of several at once a busy worker would get fewer.
 */
export async function connect(t: ExecutionContext, address: string, count: number) {
  const clients = Array.from({ length: count }, () => client(t));
  for (const each of clients) await each.dial(address);
  return { clients, spread: await spreadOf(clients, address) };
}

/** Returns the number of clients that each worker serves, by its process and thread. */
export async function spreadOf(
  clients: readonly Client[],
  address: string,
): Promise<Map<string, number>> {
  const served = await Promise.all(clients.map((each) => whoServes(each, address)));
  const spread = new Map<string, number>();
  for (const who of served) spread.set(who, (spread.get(who) ?? 0) + 1);
  return spread;
}

/** Returns the process and the thread that serve a client: 'pid/thread'. */
export async function whoServes(transport: Client, address: string): Promise<string> {
  return new TextDecoder().decode(await transport.send(address, 'who', new Uint8Array(0)));
}

/** Returns the largest deviation from the mean, as a fraction of the mean. */
export function unevenness(spread: ReadonlyMap<string, number>, workers: number): number {
  const counts = [...spread.values()];
  while (counts.length < workers) counts.push(0);
  const mean = counts.reduce((sum, count) => sum + count, 0) / workers;
  return Math.max(...counts.map((count) => Math.abs(count - mean))) / mean;
}

/** Calls in a loop from each client until it is stopped. */
export class Load {
  calls = 0;
  readonly failures: TransportError[] = [];
  readonly #loops: Promise<void>[];
  #isOver = false;
  #wakers: (() => void)[] = [];

  constructor(clients: readonly Client[], address: string) {
    this.#loops = clients.map(async (transport, number) => {
      while (!this.#isOver) {
        const request = Uint8Array.of(number, this.calls & 0xff);
        try {
          // Every other client keeps its calls in flight for a while.
          const method = number % 2 === 0 ? 'echo' : 'slow';
          const sent = method === 'slow' ? Uint8Array.of(0, 5) : request;
          const response = await transport.send(address, method, sent);
          if (response.join() !== sent.join()) throw new Error(`a wrong answer: ${response}`);
        } catch (error) {
          this.failures.push(error as TransportError);
          // A node that refuses connections must not be called in a loop without a pause.
          await transport.clock.sleep(5);
        }
        this.calls++;
        for (const wake of this.#wakers.splice(0)) wake();
      }
    });
  }

  /** Resolves when this many more calls have ended. */
  async more(calls: number): Promise<void> {
    const goal = this.calls + calls;
    while (this.calls < goal) await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }
}
