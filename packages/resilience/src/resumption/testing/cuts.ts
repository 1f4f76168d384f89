// A simulated client that reads streams of a server, while their connections are cut and nodes
// crash. Each item must arrive exactly once and in order, or the stream must end with a documented
// failure.

import { createSimulation, type Nemesis, nemeses } from '@trunkline/simulation';
import { serve, TransportError } from '@trunkline/transport-core';
import { resumable, resume, resumptionFailure } from '../../index.resumption.ts';
import { feed } from './feed.ts';

/** The outcome of all streams of one run. */
export interface Outcome {
  items: number;
  completed: number;
  /** The number of runs of the handler. */
  runs: number;
  /** The number of streams that ended with an error, by failure or code. */
  readonly failures: Record<string, number>;
  /**
   * The number of calls to the method that reached the server. Without losses, it equals the number
   * of streams.
   */
  calls: number;
}

export interface CutOptions {
  readonly seed: number;
  readonly nemesis: Nemesis;
  /** The number of items of each stream. */
  readonly length: number;
  readonly streams: number;
  readonly time?: number;
  /** Maximum number of items in the ring; a small ring causes gaps. */
  readonly items?: number;
  readonly disconnected?: 'wait' | 'continue';
}

/** Runs one seed. Rejects if an item is missing, doubled or out of order, or something leaks. */
export async function runCuts(options: CutOptions): Promise<Outcome> {
  const { seed, nemesis, length, streams, time = 60_000, items = 10_000 } = options;
  const outcome: Outcome = { items: 0, completed: 0, runs: 0, failures: {}, calls: 0 };
  const sim = createSimulation({ seed, level: 'stream', link: { latency: [1, 30] }, nemesis });
  sim.node('server', async ({ transport, clock }) => {
    const net = transport(feed);
    const { disconnected } = options;
    const count = resumable(
      net,
      'count',
      async function* (end) {
        outcome.runs++;
        for (let value = 0; value < end; value++) {
          if (value % 5 === 0) await clock.sleep(20);
          yield value;
        }
      },
      { time, items, disconnected },
    );
    const counted = (request: number, rpc: Parameters<typeof count>[1]) => {
      outcome.calls++;
      return count(request, rpc);
    };
    serve(net, { count: counted });
    await net.listen();
    return () => net.close();
  });
  let left = streams;
  sim.node('client', ({ transport, clock, random }) => {
    const net = transport(feed);
    const read = async () => {
      let expected = 0;
      try {
        for await (const item of await resume(net, 'server', 'count', length, { attempts: 50 })) {
          if (item !== expected) throw new Error(`got item ${item} instead of ${expected}`);
          expected++;
          outcome.items++;
          if (random() < 0.05) await clock.sleep(100 * random());
        }
        if (expected !== length) throw new Error(`${expected} of ${length} items came`);
        outcome.completed++;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        const name = resumptionFailure(error) ?? error.code;
        outcome.failures[name] = (outcome.failures[name] ?? 0) + 1;
      }
      left--;
    };
    for (let i = 0; i < streams; i++) void read();
    return () => net.close();
  });
  await sim.until(() => left === 0, 600_000);
  const leaks = await sim.close();
  if (leaks.length > 0) throw new Error(`left behind: ${JSON.stringify(leaks)}`);
  return outcome;
}

/** Adds up the outcomes of several runs. */
export function total(outcomes: readonly Outcome[]): Outcome {
  const sum: Outcome = { items: 0, completed: 0, runs: 0, failures: {}, calls: 0 };
  for (const { items, completed, runs, failures, calls } of outcomes) {
    sum.items += items;
    sum.completed += completed;
    sum.runs += runs;
    sum.calls += calls;
    for (const [name, count] of Object.entries(failures))
      sum.failures[name] = (sum.failures[name] ?? 0) + count;
  }
  return sum;
}

/** Connections that are reset every 200 ms to 2 s. */
export const RESETS = nemeses.resets({ duration: 20_000, calm: [200, 2_000], lasts: 1 });
/** All faults of the network, but no crashes. */
export const NETWORK = nemeses.swarm({
  duration: 20_000,
  kinds: ['resets', 'flappingLink', 'badLinks', 'holds', 'splitBrain', 'oneWay', 'pauses'],
});
