// The command line of the benchmark.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ADAPTER_NAMES } from './adapters/by-name.ts';
import { isUsable, PEER_NAMES } from './adapters/peers.ts';
import { listed, positive } from './arguments.ts';
import { columnsOf, type Plan } from './columns.ts';
import { scenariosOf } from './scenarios/by-name.ts';
import type { Setting } from './scenarios/scenario.ts';

/** A Node other than the one that runs this program. */
export interface OtherNode {
  readonly path: string;
  readonly version: string;
}

export interface Options extends Setting {
  readonly rounds: number;
  /** The version of the Node that runs servers and clients. */
  readonly nodeVersion: string;
  /** Another Node, which runs everything except the other libraries as well, in the same rounds. */
  readonly beside: OtherNode | undefined;
  readonly plan: Plan;
  /** Measurements at a time: one, unless figures do not matter. */
  readonly atOnce: number;
  /** Measures other libraries too, and installs them if they are missing. */
  readonly peers: boolean;
  readonly json: boolean;
  /** Writes the figures into docs/performance.md too. */
  readonly report: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/index.js [options]

  --scenario <names>  these scenarios alone: s1, s2, s3, s4, s5, s6, s6-elsewhere, s7, s8; comma-separated, or a beginning of names
  --adapter <names>   these adapters alone, in every scenario that they can do, and what they are compared with; comma-separated, or a
                      beginning of names. Without it, of each scenario those that it is about, and not the secure ones. There are
${wrapped(ADAPTER_NAMES, 22)}
  --rounds <n>        rounds of all scenarios (5)
  --window <ms>       milliseconds of a measurement (1500), after as many of warm-up
  --node <path>       another Node, which runs servers and clients
  --beside <path>     one more Node, in the same rounds: what is worse on it is shown
  --peers             other libraries as well, installed into bench/peers where they are missing: grpc-js, nats (where nats-server is
                      installed), birpc-ws, socket.io, protomux-rpc, zeromq
  --json              the figures as JSON instead of tables
  --report            renews these scenarios in docs/performance.md as well, and what --beside sets beside them
  --smoke             one short round, several measurements at a time, that judges nothing: to see that all of it works
  --help              this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      scenario: { type: 'string' },
      adapter: { type: 'string' },
      rounds: { type: 'string' },
      window: { type: 'string' },
      node: { type: 'string' },
      beside: { type: 'string' },
      peers: { type: 'boolean' },
      json: { type: 'boolean' },
      report: { type: 'boolean' },
      smoke: { type: 'boolean' },
    },
  });
  const smoke = values.smoke === true;
  const peers = values.peers === true;
  if (values.report === true && values.node !== undefined)
    throw new TypeError(
      '--report is of the Node that runs this, so without --node; --beside sets another one beside it',
    );
  const window = positive('window', values.window, smoke ? 60 : 1_500);
  return {
    rounds: positive('rounds', values.rounds, smoke ? 1 : 5),
    window,
    warmUp: window,
    node: values.node,
    nodeVersion: values.node === undefined ? process.version : versionOf('node', values.node),
    beside:
      values.beside === undefined
        ? undefined
        : { path: values.beside, version: versionOf('beside', values.beside) },
    peers,
    plan: planOf(
      listed(values.scenario),
      listed(values.adapter),
      peers ? PEER_NAMES.filter(isUsable) : [],
      smoke,
    ),
    atOnce: smoke ? 3 : 1,
    json: values.json === true,
    report: values.report === true && !smoke,
    smoke,
    help: values.help === true,
  };
}

/** @param once measures each adapter only once in a scenario, without the repeated limit. */
function planOf(
  scenarios: readonly string[],
  adapters: readonly string[],
  peers: readonly string[],
  once: boolean,
): Plan {
  return new Map(
    scenariosOf(scenarios).map((scenario) => {
      const columns = columnsOf(scenario, adapters, peers);
      return [
        scenario,
        columns.filter(
          ({ adapter }, at) =>
            !once || columns.findIndex((other) => other.adapter === adapter) === at,
        ),
      ];
    }),
  );
}

function versionOf(option: string, node: string): string {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (status !== 0)
    throw new TypeError(`--${option}: '${node}' does not run; a path to a Node is wanted`);
  return stdout.trim();
}

/** Wraps names into lines with an indent. */
function wrapped(names: readonly string[], indent: number): string {
  const lines = [''];
  for (const name of names) {
    if (lines.at(-1)!.length + name.length > 100) lines.push('');
    lines.push(`${lines.pop()}${name}, `);
  }
  return lines
    .map((line) => ' '.repeat(indent) + line.trimEnd())
    .join('\n')
    .slice(0, -1);
}
