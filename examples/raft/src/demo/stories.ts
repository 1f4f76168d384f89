// The stories of the demo, each with its columns of the table.

import type { MakeNetwork } from './network.ts';
import type { DemoOptions } from './options.ts';
import { runPeersScenario } from './peers-scenario.ts';
import { runScenario, type ScenarioOptions } from './scenario.ts';

export interface Story {
  /** The columns of the table between the backend and the verdict. */
  readonly columns: readonly string[];
  play(network: MakeNetwork, options: ScenarioOptions): Promise<Ending>;
  /** Returns what a run has shown if nothing failed. */
  readonly moral: (options: DemoOptions) => string;
}

export interface Ending {
  /** One cell for each column. */
  readonly cells: readonly string[];
  readonly failures: readonly string[];
}

/** The leader is lost and returns. */
export const failover: Story = {
  columns: ['election', 'commits/s', 'fail-over', 'write p50', 'write p99', 'catch-up', 'snapshot'],
  async play(network, options) {
    const {
      electionMs,
      commitsPerSecond,
      failoverMs,
      p50,
      p99,
      catchUpMs,
      snapshotBytes,
      failures,
    } = await runScenario(network, options);
    const whole = [electionMs, commitsPerSecond, failoverMs].map((value) => value.toFixed(0));
    const times = [p50, p99].map((time) => time.toFixed(1));
    return {
      cells: [...whole, ...times, catchUpMs.toFixed(0), `${Math.ceil(snapshotBytes / 1024)} KiB`],
      failures,
    };
  },
  moral: ({ nodes, writes }) =>
    `${nodes} nodes, ${2 * writes} writes on each backend: one leader per term, no write lost, equal state hashes. Times in ms.`,
};

/** Nodes that know one seed find each other, and two of them move. */
export const discovery: Story = {
  columns: ['full mesh', 'election', 'commits/s', 'back by id', 'without seed'],
  async play(network, options) {
    const { meshMs, electionMs, commitsPerSecond, backMs, backWithoutSeedMs, failures } =
      await runPeersScenario(network, options);
    return {
      cells: [meshMs, electionMs, commitsPerSecond, backMs, backWithoutSeedMs].map((value) =>
        value.toFixed(0),
      ),
      failures,
    };
  },
  moral: ({ nodes, writes }) =>
    `${nodes} nodes that knew one seed, ${3 * writes} writes by node id on each backend, two changes of address: one leader per term, no write lost,\n` +
    'equal state hashes. Times in ms.',
};
