// S7: messages of 256 bytes from one publisher to 16 subscribers, each over its own connection, in
// one process.

import { startNatsServer, unable } from '@trunkline/local-nats';
import { Child, withChildren } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { Setting } from '../pair.ts';
import type { Figures } from '../stopwatch.ts';
import { fanOutOf } from './kinds.ts';
import type { PublisherReport } from './publisher.ts';
import type { FanOutCommand, FanOutReport } from './subscribers.ts';

/** Measures one adapter; returns null for a server that is not installed. */
export async function measureFanOut(
  name: string,
  { warmUp, window, node }: Setting,
): Promise<Figures | null> {
  const { throughServer = false } = await fanOutOf(name);
  if (throughServer && unable() !== undefined) return null;
  const server = throughServer ? await startNatsServer() : undefined;
  return withChildren(async (started) => {
    const { child: publisher, report } = await Child.start<object, PublisherReport>({
      name: `the publisher of ${name}`,
      script: './fan-out/publisher.js',
      args: [name, ...(server === undefined ? [] : [server.address])],
      core: cores[0],
      node,
      started,
    });
    const pids = [publisher.pid, ...(server === undefined ? [] : [server.process.pid])];
    const { child: subscribers } = await Child.start<FanOutCommand, FanOutReport>({
      name: `the subscribers of ${name}`,
      script: './fan-out/subscribers.js',
      args: [name, report.address, String(report.pace), ...pids.map(String)],
      core: cores[1],
      node,
      started,
    });
    const { figures } = await subscribers.run({ warmUp, window });
    await publisher.close();
    await subscribers.close();
    return figures!;
  }).finally(() => server?.kill());
}
