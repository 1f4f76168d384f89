// The command line of the benchmark of open connections.

import { parseArgs } from 'node:util';
import { aboveZero, listed, positive, words } from '../arguments.ts';
import { type KindName, kindsOf } from './by-name.ts';

export interface Options {
  /** Connections that are open at the same time. */
  readonly count: number;
  /** For how long they are kept, beside those that are opened. */
  readonly minutes: number;
  /** Processes that open them, of those `count` is shared by. */
  readonly clients: number;
  readonly kinds: readonly KindName[];
  /** For the server's Node. */
  readonly nodeFlags: readonly string[];
  readonly json: boolean;
  /** Few connections for a second, to see that it works: their memory is not judged. */
  readonly smoke: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/connections.js [options]

  --count <n>            connections that are open at the same time (10000)
  --minutes <n>          for how long Trunkline keeps them alive (1)
  --clients <n>          processes that open them (as many as it takes for 2500 each)
  --only <names>         these alone, by the beginning of their names: bare-tcp, bare-tcp-pooled, trunkline-tcp, bare-tls,
                         trunkline-tls, trunkline-noise; comma-separated (bare-tls, trunkline-tls)
  --node-flags="<flags>" for the server's Node, say --node-flags="--max-semi-space-size=2"
  --json                 the figures as JSON instead of a table
  --smoke                60 connections for a second, to see that all of it works
  --help                 this text`;

/** @throws TypeError naming the option that is wrong. */
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

/** Connections of one client process, unless it is told otherwise: far below what a process may open anywhere. */
const EACH = 2_500;
