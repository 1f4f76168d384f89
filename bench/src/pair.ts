// A server and a client of one adapter, each in a process and on a core of its own.

import type { Order, Report } from './child.ts';
import { Child } from './child-process.ts';
import { cores } from './cores.ts';
import type { Figures } from './stopwatch.ts';

export class Pair {
  readonly #server: Child<Order, Report>;
  readonly #client: Child<Order, Report>;

  private constructor(server: Child<Order, Report>, client: Child<Order, Report>) {
    this.#server = server;
    this.#client = client;
  }

  static async start(adapter: string): Promise<Pair> {
    const [serverCore, clientCore] = cores;
    const script = './child.js';
    const { child: server, report } = await Child.start<Order, Report>({
      name: `the server of ${adapter}`,
      script,
      args: ['server', adapter],
      core: serverCore,
    });
    try {
      const args = ['client', adapter, report.address!, String(server.pid)];
      const { child: client } = await Child.start<Order, Report>({ name: `the client of ${adapter}`, script, args, core: clientCore });
      return new Pair(server, client);
    } catch (error) {
      server.kill();
      throw error;
    }
  }

  /** Null where the scenario doesn't suit the adapter. */
  async measure(order: Order): Promise<Figures | null> {
    return (await this.#client.ask(order)).figures!;
  }

  /** Lets go of both, and waits until nothing keeps them alive. */
  async close(): Promise<void> {
    await this.#client.close();
    await this.#server.close();
  }

  /** Ends both at once, after a failure. */
  kill(): void {
    this.#client.kill();
    this.#server.kill();
  }
}
