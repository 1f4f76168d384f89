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

  --scenario <names>  measures only these scenarios, comma-separated, or a prefix of their names:
                      s1, s2, s3, s4, s5, s6, s6-elsewhere, s7, s8
  --adapter <names>   measures only these adapters, comma-separated, or a prefix of their names, in
                      every scenario that they support, and the adapters that they are compared
                      with. By default each scenario measures the adapters that it is about, except
                      the secure ones. The adapters are
${wrapped(ADAPTER_NAMES, 22)}
  --rounds <n>        number of rounds of all scenarios (default: 5)
  --window <ms>       duration of a measurement in milliseconds (default: 1500), after a warm-up of
                      the same length
  --node <path>       runs servers and clients with another Node
  --beside <path>     also measures this Node in the same rounds, and prints what is worse on it
  --peers             also measures other libraries, and installs them into bench/peers if they are
                      missing: grpc-js, nats (if nats-server is installed), birpc-ws, socket.io,
                      protomux-rpc, zeromq
  --json              prints the figures as JSON instead of tables
  --report            also updates these scenarios in docs/performance.md, with the comparison of
                      --beside
  --smoke             runs one short round, several measurements at a time and without bars, to
                      check that everything works
  --help              prints this text`;

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
    throw new TypeError(`--${option}: '${node}' does not run: give the path of a Node executable`);
  return stdout.trim();
}

/** Wraps names into lines with an indent. */
function wrapped(names: readonly string[], indent: number): string {
  const lines = [''];
  for (const name of names) {
    if (lines.at(-1)!.length + name.length > 100 - indent) lines.push('');
    lines.push(`${lines.pop()}${name}, `);
  }
  return lines
    .map((line) => ' '.repeat(indent) + line.trimEnd())
    .join('\n')
    .slice(0, -1);
}
