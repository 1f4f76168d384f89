// trunkline ping and health: whether a node answers, how fast, and whether its services take calls.

import { TransportError } from '@trunkline/transport-core';
import type { Command } from 'commander';
import { NO, OK } from '../exit-codes.ts';
import { explain, type NodeConnection, withNode } from '../node.ts';
import { duration, table, toJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { parseCount, parseTime } from '../time.ts';

export function addPing(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('ping')
    .summary('measure how fast a node answers')
    .description(
      'Connects to a node, and measures round trips of a call of its health protocol. If the node has none, it measures how long connecting takes.',
    )
    .option('--count <number>', 'the number of round trips', '5')
    .option('--interval <time>', 'the time between two round trips', '1s')
    .action(async (options: { count: string; interval: string }, command: Command) =>
      withNode(command, terminal, async (node) => {
        const count = parseCount(options.count, '--count');
        const interval = parseTime(options.interval, '--interval');
        await ping(node, terminal, count, interval, command.optsWithGlobals()['json'] === true);
      }),
    );
  program
    .command('health')
    .summary('show whether the services of a node take calls')
    .description(
      'Shows whether a node, or its services, take calls. The exit code is 1 if one of them does not.',
    )
    .argument('[service...]', 'the names of protocols; default: the node itself')
    .action(async (services: string[], _: object, command: Command) =>
      withNode(command, terminal, async (node) => {
        const client = node.health();
        const rows: [string, string][] = [];
        for (const service of services.length === 0 ? [''] : services) {
          const status = await client.check(service, node.call).catch((error) => {
            throw explain(error, 'health');
          });
          rows.push([service, status]);
        }
        const isJson = command.optsWithGlobals()['json'] === true;
        if (isJson) await terminal.out(`${toJson(Object.fromEntries(rows))}\n`);
        else {
          const named = rows.map(([service, status]) => [service || 'the node', status]);
          await terminal.out(table([['SERVICE', 'STATUS'], ...named]));
        }
        exit(rows.every(([, status]) => status === 'serving') ? OK : NO);
      }),
    );
}

async function ping(
  node: NodeConnection,
  terminal: Terminal,
  count: number,
  interval: number,
  asJson: boolean,
): Promise<void> {
  const { transport, target } = node;
  const { clock } = terminal;
  const client = node.health();
  const times: number[] = [];
  let what = 'call';
  const timed = async (operation: () => Promise<unknown>): Promise<number> => {
    const start = clock.now();
    await operation();
    return clock.now() - start;
  };
  const connecting = await timed(() => transport.dial(target, node.call));
  if (!asJson) await terminal.out(`connected to ${target} in ${duration(connecting)}\n`);
  for (let i = 0; i < count; i++) {
    if (i > 0) await clock.sleep(interval, terminal.interrupted);
    let time: number;
    try {
      if (what !== 'call') throw NO_HEALTH;
      time = await timed(() => client.check('', node.call));
    } catch (error) {
      if (error instanceof TransportError && !LACKS.has(error.reason ?? error.code)) throw error;
      what = 'connect';
      await transport.disconnect(target);
      time = await timed(() => transport.dial(target, node.call));
    }
    times.push(time);
    if (asJson) await terminal.out(`${toJson({ what, milliseconds: time })}\n`);
    else await terminal.out(`${what} ${i + 1}: ${duration(time)}\n`);
  }
  if (asJson) return;
  const sorted = times.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  await terminal.out(
    `minimum ${duration(least)}, median ${duration(sorted[sorted.length >> 1])}, maximum ${duration(most)}\n`,
  );
}

const NO_HEALTH = new Error('the node has no health protocol');
/** The error codes that mean that a node does not serve the health protocol. */
const LACKS: ReadonlySet<string> = new Set(['unimplemented', 'no_shared_protocol']);
