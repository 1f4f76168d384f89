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

  --nodes <n>        number of processes, one of which publishes; comma-separated (default: 50)
  --rate <n>         messages a second; comma-separated (default: 1000); bars apply to the first
  --size <bytes>     size of a message (default: 256)
  --seconds <n>      duration of a measurement (default: 10)
  --warm <n>         seconds before it, in which only losses count (default: 10, which Node needs to
                     compile hot code)
  --rounds <n>       number of rounds of all adapters, each in another order (default: 3)
  --adapter <names>  measures only these, comma-separated: tree, mesh, flood, nats (if nats-server
                     is installed)
  --profile <folder> writes CPU profiles of the publisher and of one other process; profiling itself
                     takes time
  --report           prints the table as Markdown
  --json             prints the figures as JSON instead of a table
  --help             prints this text`;

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
    throw new TypeError(`--size: must be at least ${LEAST_SIZE} bytes, got ${size}`);
  const nodes = several('nodes', values.nodes, 50);
  if (nodes.includes(1)) throw new TypeError("--nodes: must be at least 2, got '1'");
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
