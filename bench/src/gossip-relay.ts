// The benchmark of forwarding large messages: the time until the last node has a message, sent by
// way of relays and directly to each node, in one run. In virtual time each node's uplink is the
// bottleneck; over loopback it is the processor, which all nodes share.

import { parseArgs } from 'node:util';
import { listed, positive } from './arguments.ts';
import { loopback } from './gossip-relay/loopback.ts';
import type { RelaySetup, Spread } from './gossip-relay/setup.ts';
import { simulated } from './gossip-relay/simulated.ts';
import { alignTable, round3 } from './table.ts';

const USAGE = `usage: node bench/dist/gossip-relay.js [options]

  --receivers <n>  number of receivers; comma-separated (default: 8,16,32)
  --size <KiB>     size of a message; comma-separated (default: 64,1024,16384)
  --fanout <n>     number of nodes that each node sends a message to (default: 3)
  --uplink <n>     Mbit/s that each node sends over all its links together (default: 100)
  --latency <ms>   time from one node to another (default: 10)
  --seed <n>       seed of the simulation (default: 1)
  --loopback       runs in real time over TCP instead, with all nodes in one process
  --rounds <n>     number of rounds over loopback, of which the median counts (default: 5)
  --help           prints this text`;

const KIB = 1024;

try {
  const { values } = parseArgs({
    options: {
      receivers: { type: 'string' },
      size: { type: 'string' },
      fanout: { type: 'string' },
      uplink: { type: 'string' },
      latency: { type: 'string' },
      seed: { type: 'string' },
      loopback: { type: 'boolean' },
      rounds: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const numbers = (name: 'receivers' | 'size', otherwise: string) =>
      listed(values[name] ?? otherwise).map((text) => positive(name, text, 1));
    const sizes = numbers('size', '64,1024,16384').map((size) => size * KIB);
    const fanout = positive('fanout', values.fanout, 3);
    const uplink = positive('uplink', values.uplink, 100);
    const latency = positive('latency', values.latency, 10);
    const seed = positive('seed', values.seed, 1);
    const rounds = positive('rounds', values.rounds, 5);
    const measure = (setup: RelaySetup): Promise<Spread[]> =>
      values.loopback === true
        ? loopback(setup, sizes, rounds)
        : simulated({ ...setup, uplink: (uplink * 1e6) / 8, latency, seed }, sizes);
    const lines = [
      [
        'receivers',
        'KiB',
        'direct ms',
        'relays ms',
        'ratio',
        'half, direct',
        'half, relays',
        'publisher sent, direct',
        'relays',
        'maximum, relays',
      ],
    ];
    for (const receivers of numbers('receivers', '8,16,32')) {
      const direct = await measure({ receivers, relay: undefined });
      const relays = await measure({ receivers, relay: { above: 0, fanout } });
      sizes.forEach((_, i) => void lines.push(line(receivers, direct[i]!, relays[i]!)));
    }
    const where =
      values.loopback === true
        ? `TCP on loopback in one process, Node ${process.versions.node}, medians of ${rounds}`
        : `virtual time; uplinks of ${uplink} Mbit/s, ${latency} ms from node to node`;
    console.log(
      `${where}; fanout ${fanout}; milliseconds until the last node has the message, and until half of the nodes have it\n`,
    );
    console.log(alignTable(lines, 0));
    console.log('\nratio: relays to direct. Sent data is in copies of the message.');
  }
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

function line(receivers: number, direct: Spread, relays: Spread): string[] {
  const { size } = direct;
  const copies = (bytes: number) => (bytes / size).toFixed(2);
  return [
    String(receivers),
    (size / KIB).toLocaleString('en-US'),
    round3(direct.last),
    round3(relays.last),
    (relays.last / direct.last).toFixed(2),
    round3(direct.half),
    round3(relays.half),
    copies(direct.published),
    copies(relays.published),
    copies(relays.most),
  ];
}
