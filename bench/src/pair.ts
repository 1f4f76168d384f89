// A server and a client of one adapter, each in its own process and on its own core.

import type { Command, Report } from './child.ts';
import { Child, withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import type { Load } from './scenarios.ts';
import type { Figures } from './stopwatch.ts';

/** The setting of a measurement. */
export interface Setting {
  /** Milliseconds of warm-up, and of measurement. */
  readonly warmUp: number;
  readonly window: number;
  /** The program that runs servers and clients. Default: the Node that runs this process. */
  readonly node?: string | undefined;
  /**
   * The URL of the folder bench/dist/ of another checkout, whose code servers and clients run.
   * Default: this one.
   */
  readonly checkout?: string | undefined;
}

/** Measures a scenario of calls, or a load, between two fresh processes. */
export function measurePair(
  adapter: string,
  scenario: string | Load,
  { warmUp, window, node, checkout = import.meta.url }: Setting,
): Promise<Figures> {
  return withChildren(async (started) => {
    const start = (role: string, core: string | undefined, ...args: string[]) =>
      Child.start<Command, Report>({
        name: `the ${role} of ${adapter}`,
        script: new URL('child.js', checkout).href,
        args: [role, adapter, ...args],
        core,
        node,
        started,
      });
    const server = await start('server', cores[0]);
    const pid = String(server.child.pid);
    const client = await start('client', cores[1], server.report.address!, pid);
    const { figures } = await client.child.run({ scenario, warmUp, window });
    await client.child.close();
    await server.child.close();
    return figures!;
  });
}
