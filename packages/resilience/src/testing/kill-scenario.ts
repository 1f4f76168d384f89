// A scenario in simulation: three servers behind a name handle 2,000 calls a second, and one of
// them crashes.

import { createPeers, type Peers } from '@trunkline/peers';
import { createSimulation } from '@trunkline/simulation';
import {
  defineProtocol,
  json,
  type Resolver,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { z } from 'zod';
import { createBalancer } from '../balancing/balancer.ts';
import { leastLoaded } from '../balancing/least-loaded.ts';
import { roundRobin } from '../balancing/round-robin.ts';
import { createRetries } from '../retries/retries.ts';
import { createStaticResolver } from '../static-resolver.ts';
import { ADDRESSES, dns, dnsResolver, SERVICE, startNameServer } from './name-server.ts';

/** A protocol with an idempotent method, and one that must not be handled twice. */
export const ledger = defineProtocol({
  name: 'ledger',
  channel: 0x20,
  methods: {
    read: { id: 1, request: json(z.int()), response: json(z.int()), timeout: 5_000 },
    append: { id: 2, request: json(z.int()), response: json(z.int()), timeout: 5_000 },
  },
});

export const METHODS = { 'ledger/read': { idempotent: true, attempts: 4 } };
/**
 * The retry throttle's bucket: twice the number of calls that may be in flight to one of three
 * servers.
 */
export const THROTTLE = { tokens: 200 };

/** The measurements of one run. */
export interface KillResult {
  readonly calls: number;
  /** Idempotent calls that failed; there should be none. */
  readonly failedReads: string[];
  /** Number of idempotent calls without a result at the end; must be 0. */
  readonly pendingReads: number;
  /** Calls to `append` that failed because the dead server may have handled them. */
  readonly failedAppends: number;
  /** Calls to `append` that were handled more than once; there should be none. */
  readonly doubled: number[];
  /** Number of calls to `append` that failed although `sent` was false; must be 0. */
  readonly unsentFailures: number;
  /** The 99th percentile of the latency in milliseconds: before, and from 2 s after the crash. */
  readonly before: number;
  readonly after: number;
}

/** Collects the calls of a run and sums them up. */
export class KillRecorder {
  readonly handled = new Map<number, number>();
  readonly failedReads: string[] = [];
  readonly #latencies: { readonly at: number; readonly took: number }[] = [];
  #calls = 0;
  #pendingReads = 0;
  #failedAppends = 0;
  #unsentFailures = 0;

  handle(id: number): void {
    this.handled.set(id, (this.handled.get(id) ?? 0) + 1);
  }

  /** Records the result of a call that began at `at`. */
  async follow(method: 'read' | 'append', at: number, now: () => number, call: Promise<unknown>) {
    this.#calls++;
    if (method === 'read') this.#pendingReads++;
    try {
      await call;
      this.#latencies.push({ at, took: now() - at });
    } catch (error) {
      if (method === 'read') this.failedReads.push(String(error));
      else this.#failedAppends++;
      if (method === 'append' && error instanceof TransportError && error.sent === false)
        this.#unsentFailures++;
    } finally {
      if (method === 'read') this.#pendingReads--;
    }
  }

  result(killedAt: number): KillResult {
    const within = (from: number, to: number) =>
      percentile(
        this.#latencies.filter(({ at }) => at >= from && at < to).map(({ took }) => took),
        0.99,
      );
    return {
      calls: this.#calls,
      failedReads: [...this.failedReads],
      pendingReads: this.#pendingReads,
      failedAppends: this.#failedAppends,
      doubled: [...this.handled].filter(([, times]) => times > 1).map(([id]) => id),
      unsentFailures: this.#unsentFailures,
      // The first calls wait for connections, so they do not count.
      before: within(killedAt - 400, killedAt),
      after: within(killedAt + 2_000, Number.POSITIVE_INFINITY),
    };
  }
}

/** Settings of a run. */
export interface KillOptions {
  /** The resolver of the name. Default `list`. */
  readonly by?: 'list' | 'dns' | 'service';
  /** With `lost`, the whole machine dies, so nothing resets its connections. Default `kept`. */
  readonly power?: 'kept' | 'lost';
  /** The hedging delay of reads. Default: they are not hedged. */
  readonly hedgeDelay?: number;
}

/** Makes calls for 3 s of virtual time; one of three servers crashes after about 0.5 s. */
export async function runKill(
  seed: number,
  { by = 'list', power = 'kept', hedgeDelay }: KillOptions = {},
): Promise<KillResult> {
  const sim = createSimulation({ seed, link: { latency: [1, 5] } });
  const recorder = new KillRecorder();
  // DNS names IP addresses.
  const servers = by === 'dns' ? ADDRESSES : ['a', 'b', 'c'];
  const listed = new Set(servers);
  if (by === 'dns') startNameServer(sim, listed);
  for (const name of servers) {
    sim.node(name, async ({ transport, clock, random }) => {
      const net = transport(ledger);
      const peers =
        by === 'service'
          ? createPeers({
              transport: net,
              identity: idOf(name),
              services: ['ledger'],
              maxOutbound: 0,
            })
          : undefined;
      serve(net, {
        read: async (id) => {
          await clock.sleep(5 * random());
          return id;
        },
        append: async (id) => {
          recorder.handle(id);
          await clock.sleep(5 * random());
          return id;
        },
      });
      await net.listen();
      await peers?.start();
      return async () => {
        await peers?.close();
        await net.close();
      };
    });
  }
  // Peers need some time to connect.
  const begin = by === 'list' ? 0 : 1_000;
  const killedAt = begin + 500 + (seed % 97) / 10;
  sim.node('client', async ({ transport, clock, random }) => {
    let peers: Peers | undefined;
    const resolver: Resolver =
      by === 'list'
        ? createStaticResolver({ ledger: servers })
        : by === 'dns'
          ? dnsResolver(transport(dns), clock, random)
          : {
              handles: (target) => peers!.services.resolver.handles(target),
              watch: (target, observer) => peers!.services.resolver.watch(target, observer),
            };
    const balancer = createBalancer({
      resolve: resolver,
      policy: hedgeDelay !== undefined || seed % 2 === 0 ? leastLoaded() : roundRobin(),
      clock,
      random,
    });
    const methods = { 'ledger/read': { ...METHODS['ledger/read'], hedgeDelay } };
    const retries = createRetries({ methods, throttle: THROTTLE, clock, random });
    const client = [retries.interceptor, balancer.interceptor];
    const net = transport(ledger, { interceptors: { client } });
    if (by === 'service') {
      peers = createPeers({
        transport: net,
        identity: idOf('c1'),
        persistent: servers,
        maxOutbound: 0,
      });
      await peers.start();
    }
    const load = async () => {
      await clock.sleep(begin - clock.now());
      for (let id = 1; clock.now() - begin < 3_000; id++) {
        const method = id % 2 === 0 ? 'read' : 'append';
        const at = clock.now();
        void recorder.follow(method, at, () => clock.now(), net.send(TARGETS[by], method, id));
        await clock.sleep(0.5);
      }
    };
    void load();
    return async () => {
      await peers?.close();
      await net.close();
      balancer.close();
    };
  });
  const victim = servers[seed % 3]!;
  sim.at(killedAt, () => sim.crash(victim, { power }));
  // The DNS records are updated only after some time, as in a real network.
  sim.at(killedAt + 1_000, () => listed.delete(victim));
  await sim.run(begin + 3_200);
  const result = recorder.result(killedAt);
  await sim.close();
  return result;
}

/** Derives a node id from a name of hex digits. */
function idOf(name: string): { readonly nodeId: string } {
  return { nodeId: name.repeat(64).slice(0, 64) };
}

const TARGETS = {
  list: 'ledger',
  dns: `dns+srv:///${SERVICE}`,
  service: 'service:ledger',
} as const;

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
