// S7: messages of 256 bytes from one publisher to 16 subscribers, each over its own connection, in
// one process.

import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import { FAN_OUT_NAMES, fanOutOf } from '../fan-out/kinds.ts';
import type { PublisherReport } from '../fan-out/publisher.ts';
import type { FanOutCommand, FanOutReport } from '../fan-out/subscribers.ts';
import { isInstalled, startServer } from '../gossip-processes/nats-server.ts';
import type { Figures } from '../stopwatch.ts';
import type { Scenario, Setting } from './scenario.ts';

export const fanOut: Scenario = {
  name: 's7',
  title: '256 B from 1 publisher to 16 subscribers',
  figures: [
    { figure: 'rate', unit: 'deliveries/s' },
    { figure: 'clientCpu', unit: 'subscribers ns' },
    { figure: 'serverCpu', unit: 'publisher ns' },
  ],
  suits: (adapter) => FAN_OUT_NAMES.includes(adapter),
  measure,
};

/** Measures one adapter; returns null for a server that is not installed. */
async function measure(name: string, { warmUp, window, node }: Setting): Promise<Figures | null> {
  const { throughServer = false } = await fanOutOf(name);
  if (throughServer && !isInstalled()) return null;
  const [publisherCore, subscribersCore] = cores;
  const server = throughServer ? await startServer() : undefined;
  const processes: { kill(): void }[] = [];
  try {
    const { child: publisher, report } = await Child.start<object, PublisherReport>({
      name: `the publisher of ${name}`,
      script: './fan-out/publisher.js',
      args: [name, ...(server === undefined ? [] : [server.address])],
      core: publisherCore,
      node,
    });
    processes.push(publisher);
    const { child: subscribers } = await Child.start<FanOutCommand, FanOutReport>({
      name: `the subscribers of ${name}`,
      script: './fan-out/subscribers.js',
      args: [
        name,
        report.address,
        String(report.pace),
        String(publisher.pid),
        ...(server === undefined ? [] : [String(server.pid)]),
      ],
      core: subscribersCore,
      node,
    });
    processes.push(subscribers);
    const { figures } = await subscribers.run({ warmUp, window });
    await publisher.close();
    await subscribers.close();
    return figures!;
  } catch (error) {
    for (const process of processes) process.kill();
    throw error;
  } finally {
    server?.stop();
  }
}
