// A server and a client of one adapter, each in its own process and on its own core.

import type { Command, Report } from './child.ts';
import { Child } from './child-process.ts';
import { cores } from './cores.ts';
import type { Setting } from './scenarios/scenario.ts';
import type { Figures } from './stopwatch.ts';

/**
 * Measures a scenario of calls between two fresh processes; returns null if the scenario does not
 * suit the adapter.
 */
export async function measurePair(
  adapter: string,
  scenario: string,
  setting: Setting,
): Promise<Figures | null> {
  const pair = await Pair.start(adapter, setting);
  try {
    const figures = await pair.measure({
      scenario,
      warmUp: setting.warmUp,
      window: setting.window,
    });
    await pair.close();
    return figures;
  } catch (error) {
    pair.kill();
    throw error;
  }
}

class Pair {
  readonly #server: Child<Command, Report>;
  readonly #client: Child<Command, Report>;

  private constructor(server: Child<Command, Report>, client: Child<Command, Report>) {
    this.#server = server;
    this.#client = client;
  }

  static async start(
    adapter: string,
    { node, checkout = import.meta.url }: Setting,
  ): Promise<Pair> {
    const [serverCore, clientCore] = cores;
    const common = { script: new URL('child.js', checkout).href, node };
    const { child: server, report } = await Child.start<Command, Report>({
      ...common,
      name: `the server of ${adapter}`,
      args: ['server', adapter],
      core: serverCore,
    });
    try {
      const args = ['client', adapter, report.address!, String(server.pid)];
      const { child: client } = await Child.start<Command, Report>({
        ...common,
        name: `the client of ${adapter}`,
        args,
        core: clientCore,
      });
      return new Pair(server, client);
    } catch (error) {
      server.kill();
      throw error;
    }
  }

  async measure(command: Command): Promise<Figures | null> {
    return (await this.#client.run(command)).figures!;
  }

  /** Disconnects from both and waits until nothing keeps them alive. */
  async close(): Promise<void> {
    await this.#client.close();
    await this.#server.close();
  }

  /** Kills both at once, after a failure. */
  kill(): void {
    this.#client.kill();
    this.#server.kill();
  }
}
