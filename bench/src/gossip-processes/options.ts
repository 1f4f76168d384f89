// The command line of the benchmark of gossip between processes.

import { parseArgs } from 'node:util';
import { aboveZero, listed, positive } from '../arguments.ts';
import { type KindName, kindsOf } from './by-name.ts';
import { LEAST_SIZE } from './message.ts';

export interface Options {
  /**
   * The number of processes, one of which publishes. Several numbers are measured one after the
   * other.
   */
  readonly nodes: readonly number[];
  /**
   * Messages a second. Several rates are measured one after the other, between the same processes.
   */
  readonly rates: readonly number[];
  /** The size of a message in bytes. */
  readonly size: number;
  /** Seconds of measurement, and of warm-up. */
  readonly seconds: number;
  readonly warm: number;
  readonly rounds: number;
  readonly kinds: readonly KindName[];
  /** A folder for CPU profiles of the publisher and of one other process. */
  readonly profile: string | undefined;
  readonly report: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/gossip-processes.js [options]

  --nodes <n>        processes, one of which publishes; several with commas between (50)
  --rate <n>         messages a second; several with commas between (1000): the first must hold
  --size <bytes>     of a message (256)
  --seconds <n>      that are measured (10)
  --warm <n>         seconds that run before, which count for losses alone (10: so long Node takes to compile what is hot)
  --rounds <n>       of all adapters, each in another order (3)
  --adapter <names>  these alone: tree, mesh, flood, nats (where nats-server is installed); comma-separated
  --profile <folder> writes CPU profiles of the publisher and of one other process there: they cost time themselves
  --report           the table as Markdown
  --json             the figures as JSON instead of a table
  --help             this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      nodes: { type: 'string' },
      rate: { type: 'string' },
      size: { type: 'string' },
      seconds: { type: 'string' },
      warm: { type: 'string' },
      rounds: { type: 'string' },
      adapter: { type: 'string' },
      profile: { type: 'string' },
      report: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const size = positive('size', values.size, 256);
  if (size < LEAST_SIZE)
    throw new TypeError(`--size: at least ${LEAST_SIZE} bytes are wanted, not ${size}`);
  const nodes = several('nodes', values.nodes, 50);
  if (nodes.includes(1)) throw new TypeError("--nodes: at least 2 are wanted, not '1'");
  return {
    nodes,
    rates: several('rate', values.rate, 1_000),
    size,
    seconds: aboveZero('seconds', values.seconds, 10),
    warm: aboveZero('warm', values.warm, 10),
    rounds: positive('rounds', values.rounds, 3),
    kinds: kindsOf(listed(values.adapter)),
    profile: values.profile,
    report: values.report === true,
    json: values.json === true,
    help: values.help === true,
  };
}

function several(name: string, text: string | undefined, otherwise: number): number[] {
  return text === undefined
    ? [otherwise]
    : listed(text).map((each) => positive(name, each, otherwise));
}
