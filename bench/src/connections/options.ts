// The command line of the benchmark of open connections.

import { parseArgs } from 'node:util';
import { aboveZero, listed, positive, words } from '../arguments.ts';
import { type KindName, kindsOf } from './by-name.ts';

export interface Options {
  /** The number of connections that are open at the same time. */
  readonly count: number;
  /** The time in minutes that the connections are kept once they are open. */
  readonly minutes: number;
  /** The number of processes that share the `count` connections. */
  readonly clients: number;
  readonly kinds: readonly KindName[];
  /** Flags for the server's Node. */
  readonly nodeFlags: readonly string[];
  readonly json: boolean;
  /** Opens few connections for a second, to check that the program works; memory is not judged. */
  readonly smoke: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/connections.js [options]

  --count <n>            number of connections that are open at the same time (default: 10000)
  --minutes <n>          minutes for which Trunkline keeps them open (default: 1)
  --clients <n>          number of processes that open them (default: one for each 2500 connections)
  --only <names>         measures only these kinds, comma-separated, or a prefix of their names:
                         bare-tcp, bare-tcp-pooled, trunkline-tcp, bare-tls, trunkline-tls,
                         trunkline-noise (default: bare-tls, trunkline-tls)
  --node-flags="<flags>" flags for the server's Node, such as
                         --node-flags="--max-semi-space-size=2"
  --json                 prints the figures as JSON instead of a table
  --smoke                opens 60 connections for a second, to check that everything works
  --help                 prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      count: { type: 'string' },
      minutes: { type: 'string' },
      clients: { type: 'string' },
      only: { type: 'string' },
      'node-flags': { type: 'string' },
      json: { type: 'boolean' },
      smoke: { type: 'boolean' },
    },
  });
  const smoke = values.smoke === true;
  const count = positive('count', values.count, smoke ? 60 : 10_000);
  return {
    count,
    minutes: aboveZero('minutes', values.minutes, smoke ? 1 / 60 : 1),
    clients: positive('clients', values.clients, smoke ? 2 : Math.ceil(count / EACH)),
    kinds: kindsOf(listed(values.only)),
    nodeFlags: words(values['node-flags']),
    json: values.json === true,
    smoke,
    help: values.help === true,
  };
}

/**
 * The default number of connections of one client process; far below what a process may open on any
 * system.
 */
const EACH = 2_500;
