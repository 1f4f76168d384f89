// Shows who is online, across processes. A typed line becomes our new status.

import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { defineProtocol, json } from 'trunkline';
import { createNode } from 'trunkline/mesh';
import { byStatus } from './by-status.ts';
import { byTopic } from './by-topic.ts';
import { Entry, Table } from './table.ts';

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: {
      name: text,
      listen: { ...text, default: '127.0.0.1:0' },
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

  const table = new Table((text) =>
    process.stdout.write(
      process.stdout.isTTY ? `\x1b[2J\x1b[H${text}\n` : `online: ${text.replaceAll('\n', ', ')}\n`,
    ),
  );
  await using node = await createNode({
    address: `tcp://${listen}`,
    name,
    protocol: defineProtocol({ name: 'presence', version: 1, channel: 0x20, methods: {} }),
    peers: { persistent: join, status: json(Entry), reconnect: { maxBackoff: 5_000 } },
  });
  process.stdout.write(`listening at ${node.transport.localAddr()}\n`);
  const presence = via === 'status' ? byStatus(node.peers, table) : byTopic(node, table, every);
  const tell = (status: string) => {
    table.set(node.nodeId, { name, status });
    presence.tell({ name, status });
  };
  const lines = createInterface({ input: process.stdin });
  const leave = () => lines.close();
  try {
    tell('here');
    process.once('SIGINT', leave).once('SIGTERM', leave);
    for await (const line of lines) if (line.trim() !== '') tell(line.trim().slice(0, 40));
  } finally {
    leave();
    process.stdin.destroy();
    await presence.close();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`presence: ${error.message}\n`);
  process.exitCode = 1;
});
