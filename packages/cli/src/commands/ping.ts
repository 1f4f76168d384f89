// trunkline ping and health: whether a node answers, how fast, and whether it is ready for calls.

import type { ServingStatus } from '@trunkline/resilience/health';
import { TransportError } from '@trunkline/transport-core';
import type { Command } from 'commander';
import { NO, OK, UsageError } from '../exit-codes.ts';
import { explain, type NodeConnection, withNode } from '../node.ts';
import { duration, table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount, parseTime } from '../time.ts';

export function addPing(
  program: Command,
  terminal: CliTerminal,
  exit: (code: number) => void,
): void {
  program
    .command('ping')
    .summary('measure how fast a node answers')
    .description(
      'Measures round trips of calls of the health protocol or, if the node does not serve it, how long connecting takes.',
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
    .summary('show whether a node, or its services, take calls')
    .description(
      "Shows whether a node is ready, or whether the named services take calls. The exit code is 1 if not. A node is not ready if it drains, its listener has failed, or one of its services is 'not_serving'.",
    )
    .argument('[service...]', 'the names of protocols; default: the node itself')
    .option('--live', 'ask only whether the node is alive; a draining node is alive')
    .action(async (services: string[], { live }: { live?: boolean }, command: Command) => {
      const isLive = live === true;
      if (isLive && services.length > 0)
        throw new UsageError('health: --live asks for the node; leave out the services');
      await withNode(command, terminal, async (node) => {
        const rows = await statusesOf(node, services, isLive).catch((error) => {
          throw explain(error, 'health');
        });
        const asJson = command.optsWithGlobals()['json'] === true;
        if (asJson) {
          const statuses = rows.map(({ service, status }) => [service, status]);
          await terminal.out(`${toJson(Object.fromEntries(statuses))}\n`);
        } else {
          const named = rows.map(({ service, text }) => [service || 'the node', text]);
          await terminal.out(table([['SERVICE', 'STATUS'], ...named]));
        }
        exit(rows.every(({ status }) => status === 'serving') ? OK : NO);
      });
    });
}

/** The status of a service; the empty name is the node. */
interface StatusRow {
  readonly service: string;
  readonly status: ServingStatus;
  /** The status for people. */
  readonly text: string;
}

/** Asks for the statuses of services; without services, for that of the node. */
async function statusesOf(
  node: NodeConnection,
  services: readonly string[],
  isLive: boolean,
): Promise<StatusRow[]> {
  const check = (service: string) => node.health().check(service, node.call);
  const rows: StatusRow[] = [];
  for (const service of services) {
    const status = await check(service);
    rows.push({ service, status, text: status });
  }
  if (services.length > 0) return rows;
  if (isLive) return [{ service: '', status: await check(''), text: 'alive' }];
  const status = await check('trunkline.ready');
  // A node whose health protocol is not serving either drains (see Health.status).
  const drains = status === 'not_serving' && (await check('trunkline.health')) === 'not_serving';
  return [{ service: '', status, text: drains ? 'not_serving (draining)' : status }];
}

async function ping(
  node: NodeConnection,
  terminal: CliTerminal,
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
  const connecting = await timed(() => transport.dial(target, { signal: node.call.signal }));
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
      time = await timed(() => transport.dial(target, { signal: node.call.signal }));
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
