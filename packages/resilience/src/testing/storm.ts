// A cluster in simulation that could fall into a retry storm: servers with a fixed capacity, whose
// queues keep the work of callers that have given up, and clients that time out and retry.

import { createSimulation } from '@trunkline/simulation';
import {
  bytes,
  type ClientInterceptor,
  defineProtocol,
  type Resolver,
  serve,
} from '@trunkline/transport-core';
import { createBalancer } from '../balancing/balancer.ts';
import { roundRobin } from '../balancing/round-robin.ts';
import type { RetriesOptions } from '../retries/retries.ts';
import { createRetries } from '../retries/retries.ts';
import { createStaticResolver } from '../static-resolver.ts';

const orders = defineProtocol({
  name: 'orders',
  channel: 0x20,
  methods: { work: { id: 1, request: bytes, response: bytes, timeout: 5_000 } },
});

export const CLIENTS = 100;
export const SERVERS = 10;
/**
 * Number of calls that each client makes in a second; all clients together use 60 % of the servers'
 * capacity.
 */
const CALLS = 1.2;
/** Milliseconds of work for each call: a server handles 20 calls a second, one after the other. */
const WORK = 50;
/** Times, in milliseconds, at which half of the servers go down and come back. */
const FAILS_AT = 10_000;
const RECOVERS_AT = 20_000;

/** The number of attempts in each second of the run, and the number of calls that succeeded. */
export interface StormRates {
  readonly attempts: number[];
  readonly successes: number[];
}

/** Returns the mean rate of the seconds from `from` to `to`. */
export function mean(rates: readonly number[], from: number, to: number): number {
  return rates.slice(from, to).reduce((sum, rate) => sum + rate, 0) / (to - from);
}

/**
 * Returns the ratio of the attempts 10 to 20 s after recovery to the attempts before the failure.
 */
export function ratioAfter({ attempts }: StormRates): number {
  return mean(attempts, 30, 40) / mean(attempts, 2, 10);
}

/** Settings of a run. */
export interface StormOptions {
  /**
   * The kind of failure: `crash` stops the servers; `stall` lets them accept calls without ever
   * answering.
   */
  readonly how: 'crash' | 'stall';
  readonly throttle?: RetriesOptions['throttle'];
}

/** Runs 40 s: half of the servers are down from 10 s to 20 s. */
export async function runStorm(seed: number, { how, throttle }: StormOptions): Promise<StormRates> {
  const sim = createSimulation({ seed, link: { latency: [0.5, 2] } });
  const rates: StormRates = { attempts: Array(40).fill(0), successes: Array(40).fill(0) };
  const count = (list: number[]) => {
    list[Math.min(39, Math.floor(sim.now / 1_000))]!++;
  };
  const stalled = new Set<string>();
  const names = Array.from({ length: SERVERS }, (_, n) => `server-${n}`);
  for (const name of names) {
    sim.node(name, async ({ transport, clock }) => {
      const net = transport(orders);
      let busyUntil = 0;
      serve(net, {
        // Queued work is done even if its caller has given up meanwhile.
        async work(request) {
          if (stalled.has(name)) await new Promise(() => {});
          busyUntil = Math.max(busyUntil, clock.now()) + WORK;
          await clock.sleep(busyUntil - clock.now());
          return request;
        },
      });
      await net.listen();
      return () => net.close();
    });
  }
  for (let n = 0; n < CLIENTS; n++) {
    sim.node(`user-${n}`, ({ transport, clock, random }) => {
      const resolver: Resolver = createStaticResolver({ orders: names });
      const balancer = createBalancer({ resolve: resolver, policy: roundRobin(), clock, random });
      const retries = createRetries({
        clock,
        random,
        methods: { '*': { idempotent: true, attempts: 4, attemptTimeout: 1_000 } },
        throttle,
      });
      const counting: ClientInterceptor = (next) => (call) => {
        count(rates.attempts);
        return next(call);
      };
      const client = [retries.interceptor, balancer.interceptor, counting];
      const net = transport(orders, { interceptors: { client } });
      let isOver = false;
      const load = async () => {
        await clock.sleep(random() * (1_000 / CALLS));
        while (!isOver) {
          net.send('orders', 'work', new Uint8Array(8)).then(
            () => count(rates.successes),
            () => {},
          );
          await clock.sleep((1_000 / CALLS) * (0.5 + random()));
        }
      };
      void load();
      return async () => {
        isOver = true;
        await net.close();
        balancer.close();
      };
    });
  }
  const failing = names.slice(0, SERVERS / 2);
  sim.at(FAILS_AT, () => {
    for (const name of failing)
      if (how === 'crash') sim.crash(name);
      else stalled.add(name);
  });
  sim.at(RECOVERS_AT, () => {
    for (const name of failing)
      if (how === 'crash') sim.restart(name);
      else stalled.delete(name);
  });
  await sim.run(40_000 - 1);
  await sim.close();
  return rates;
}
