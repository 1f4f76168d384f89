// Shows who is online, across processes. A typed line becomes our new status.

import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { defineProtocol, json } from '@trunkline/transport-core';
import { createTcpTransport } from '@trunkline/transport-tcp';
import { byStatus } from './by-status.ts';
import { byTopic } from './by-topic.ts';
import { Entry, Table } from './table.ts';

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: {
      name: text,
      listen: text,
      join: { ...text, multiple: true },
      via: { ...text, default: 'status' },
      every: { ...text, default: '5000' },
    },
  });
  const { name, listen, join, via } = values;
  const every = Number(values.every);
  if (name === undefined || !['status', 'topic'].includes(via) || !(every >= 1)) {
    throw new Error(
      'usage: presence --name <name> [--listen host:port] [--join host:port]… [--via status|topic] [--every <ms>]',
    );
  }

  const transport = createTcpTransport({
    protocol: defineProtocol({ name: 'presence', methods: {} }),
    bindAddr: listen,
  });
  const peers = createPeers<Entry>({
    transport,
    persistent: join,
    status: json(Entry),
    reconnect: { max: 5_000 },
  });
  const gossip = createGossip({ transport, peers, overlay: partialView() });
  const table = new Table((text) =>
    process.stdout.write(
      process.stdout.isTTY ? `\x1b[2J\x1b[H${text}\n` : `online: ${text.replaceAll('\n', ', ')}\n`,
    ),
  );
  const presence =
    via === 'status' ? byStatus(peers, table) : byTopic(gossip, transport.clock, table, every);
  const tell = (status: string) => {
    table.set(peers.nodeId, { name, status });
    presence.tell({ name, status });
  };
  const lines = createInterface({ input: process.stdin });
  const leave = () => lines.close();
  try {
    await transport.listen();
    process.stdout.write(`listening at ${transport.localAddr()}\n`);
    await gossip.start();
    await peers.start();
    tell('here');
    process.once('SIGINT', leave).once('SIGTERM', leave);
    for await (const line of lines) if (line.trim() !== '') tell(line.trim().slice(0, 40));
  } finally {
    leave();
    process.stdin.destroy();
    await presence.close();
    await gossip.close();
    await peers.close();
    await transport.close();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`presence: ${error.message}\n`);
  process.exitCode = 1;
});
