// The demo's command line.

import { parseArgs } from 'node:util';
import { whole } from '../program.ts';
import { NETWORKS } from './networks.ts';

/** The default transports: each plain one, and one of the secure ones. */
const DEFAULT = 'inmem,tcp,ws,tls';
/** With --peers: two on which ids are only claimed, and one on which they are proven. */
const DEFAULT_PEERS = 'inmem,tcp,tls';
const NAMES = Object.keys(NETWORKS);

export const HELP = `Usage: pnpm demo [options]

Five nodes elect a leader and commit 1,000 writes. Then the leader stops; another one is elected and
commits 1,000 more. The stopped node returns and catches up by snapshot. The same code runs on each
backend. On tls, wss and noise every node proves its id: one node is denied and admitted again, and a
stranger is refused. 'nats' runs over one NATS server and over a cluster of three, of which one is
killed; it needs nats-server.

  --transport <names>  ${[...NAMES, 'all'].join(', ')}; several separated by commas
                       (default: ${DEFAULT}; with --peers: ${DEFAULT_PEERS})
  --peers              nodes know each other by id, and find each other through one node. Two move
                       to other addresses while clients write, and the first node stops for good
  --stay               keep one cluster over TLS running, and print how to call it
  --dashboard          as --stay, with a page that shows the cluster, while its leader is stopped
                       every 20 seconds
  --nodes <n>          3 to 9; with --peers 5 to 9 (default: 5)
  --writes <n>         number of writes before and after the leader stops; with --peers, before and
                       during each move; 1 to 100000 (default: 1000)
  --help               this text`;

/** Returns the options. Throws an Error with a one-line message if they are invalid. */
export function parseOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      transport: { type: 'string' },
      peers: { type: 'boolean', default: false },
      stay: { type: 'boolean', default: false },
      dashboard: { type: 'boolean', default: false },
      nodes: { type: 'string', default: '5' },
      writes: { type: 'string', default: '1000' },
    },
  });
  const { transport, peers, stay, dashboard, nodes, writes } = values;
  if ((stay || dashboard) && (peers || transport !== undefined))
    throw new Error(
      '--stay and --dashboard: run one cluster over TLS, without --peers and --transport',
    );
  return {
    transports: transportsOf(transport ?? (peers ? DEFAULT_PEERS : DEFAULT)),
    // With --peers, two are away at once.
    nodes: whole('nodes', nodes, peers ? 5 : 3, 9),
    writes: whole('writes', writes, 1, 100_000),
    peers,
    stay: stay || dashboard,
    dashboard,
  };
}

/** Returns each transport once, in the order in which they were named. */
function transportsOf(list: string): string[] {
  const given = list.split(',');
  const wrong = given.find((name) => name !== 'all' && !NAMES.includes(name));
  if (wrong !== undefined)
    throw new Error(`--transport: expected ${NAMES.join(', ')} or all, got '${wrong}'`);
  const groups: Record<string, string[]> = { all: NAMES, nats: ['nats', 'nats-cluster'] };
  return [...new Set(given.flatMap((name) => groups[name] ?? name))];
}
