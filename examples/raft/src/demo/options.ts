// The demo's command line.

import { parseArgs } from 'node:util';
import { BACKENDS } from './backends.ts';

export interface DemoOptions {
  readonly transports: readonly string[];
  readonly nodes: number;
  readonly writes: number;
  /** Runs the demo in which nodes find each other by id. */
  readonly peers: boolean;
  /** Keeps one cluster over TLS running until it is interrupted, to be called by the user. */
  readonly stay: boolean;
  /** As `stay`, with the dashboard; the leader is lost again and again. */
  readonly dashboard: boolean;
}

/** The default transports: each plain one, and one of the secure ones. */
const DEFAULT = ['inmem', 'tcp', 'ws', 'tls'];
/** A name that stands for several transports. */
const BOTH: Readonly<Record<string, readonly string[]>> = { nats: ['nats', 'nats-cluster'] };
/**
 * The default transports with --peers: two on which ids are only claimed, and one on which they are
 * proven.
 */
const DEFAULT_PEERS = ['inmem', 'tcp', 'tls'];

export const HELP = `Usage: pnpm demo [options]

Five nodes elect a leader and commit 1,000 writes. Then the leader stops; another one is elected and
commits 1,000 more. The stopped node returns and catches up by snapshot. The same code runs on each
backend. On tls, wss and noise every node proves its id: one node is denied and admitted again, and a
stranger is refused. 'nats' runs over one NATS server and over a cluster of three, of which one is
killed; it needs nats-server.

With --peers the nodes know each other by id and find each other through one node whose address they
know. Then a node moves to another address while clients write, the seed stops for good, and another
node moves.

With --stay, one cluster over TLS keeps running, and the demo prints how to call it from the command
line. With --dashboard it also prints the address of a page that shows the cluster, and stops the
leader every 20 seconds.

  --transport <names>  ${[...Object.keys(BACKENDS), 'all'].join(', ')}; several separated by commas
                       (default: ${DEFAULT.join(',')}; with --peers: ${DEFAULT_PEERS.join(',')})
  --peers              run the demo in which nodes find each other
  --stay               keep one cluster running, for the command line
  --dashboard          keep one cluster running, and show it in a page while its leader is lost
  --nodes <n>          3 to 9; with --peers 5 to 9 (default: 5)
  --writes <n>         number of writes before and after the leader stops; with --peers, before and
                       during each move; 1 to 100000 (default: 1000)
  --help               this text`;

/** Returns the options, or 'help'. Throws an Error with a one-line message if they are invalid. */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'), // Arrives with `pnpm demo -- --nodes 3`.
    options: {
      transport: { type: 'string', multiple: true },
      peers: { type: 'boolean' },
      stay: { type: 'boolean' },
      dashboard: { type: 'boolean' },
      nodes: { type: 'string' },
      writes: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const { transport, peers = false, stay = false, dashboard = false } = values;
  if ((stay || dashboard) && (peers || transport !== undefined))
    throw new Error(
      '--stay and --dashboard: run one cluster over TLS, without --peers and --transport',
    );
  return {
    transports:
      transport === undefined
        ? peers
          ? DEFAULT_PEERS
          : DEFAULT
        : transports(transport.flatMap((list) => list.split(','))),
    // With --peers, two are away at once.
    nodes: integer('--nodes', values.nodes ?? '5', peers ? 5 : 3, 9),
    writes: integer('--writes', values.writes ?? '1000', 1, 100_000),
    ...{ peers, stay, dashboard },
  };
}

/** Returns each transport once, in the order in which they were named. */
function transports(given: readonly string[]): string[] {
  const names = Object.keys(BACKENDS);
  const wrong = given.find((name) => name !== 'all' && !names.includes(name));
  if (wrong !== undefined)
    throw new Error(`--transport: expected ${names.join(', ')} or all, got '${wrong}'`);
  return [...new Set(given.flatMap((name) => (name === 'all' ? names : (BOTH[name] ?? [name]))))];
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
}
