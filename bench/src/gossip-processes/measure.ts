// Measures the processes of one adapter at several rates, one after the other. The last process
// publishes, and all others receive.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures } from '../benchmark.ts';
import { type Child, type Start, withChildren } from '../child-process.ts';
import { cpuTime } from '../cpu-time.ts';
import { percentile } from '../statistics.ts';
import { KINDS, type KindName } from './by-name.ts';
import type { RunningServer, Traffic } from './kind.ts';
import type { NodeCommands } from './node.ts';
import type { Stage } from './stage.ts';

export interface Load {
  /** Messages a second. */
  readonly rates: readonly number[];
  /** The size of a message in bytes. */
  readonly size: number;
  /** Seconds of measurement, and of the warm-up before it. */
  readonly seconds: number;
  readonly warm: number;
}

type Node = Child<NodeCommands>;

/** Tells whether the adapter needs no server, or its server is installed. */
export function isInstalled(name: KindName): boolean {
  return KINDS[name].server?.isInstalled() ?? true;
}

/**
 * Returns the figures of each rate, most of them per delivery: times in ms, and CPU in µs. CPU is
 * NaN if the system does not report it.
 */
export async function measureSwarm(
  name: KindName,
  nodes: number,
  { rates, size, seconds, warm }: Load,
  tell: (what: string) => void,
): Promise<Figures[]> {
  const server = await KINDS[name].server?.start();
  // Kills all processes at the end: how they close is not measured.
  return withChildren(async (start) => {
    const swarm = await startSwarm(start, name, nodes, server);
    const measured: Figures[] = [];
    let first = 0;
    for (const rate of rates) {
      tell(`${rate} a second`);
      const before = { first, count: Math.ceil(rate * warm), rate, size };
      const stage = { ...before, first: first + before.count, count: Math.ceil(rate * seconds) };
      first = stage.first + stage.count;
      const { lost, wrong } = await run(swarm, before, server);
      const figures = await run(swarm, stage, server);
      // Losses of the warm-up count, too.
      const faults = { lost: figures['lost']! + lost!, wrong: figures['wrong']! + wrong! };
      measured.push({ ...figures, ...faults });
    }
    return measured;
  }).finally(() => server?.stop());
}

/**
 * Starts the processes one after the other, and returns them when they are connected as planned.
 * @throws Error if they are not connected in time.
 */
async function startSwarm(
  start: Start,
  name: KindName,
  count: number,
  server: RunningServer | undefined,
): Promise<Node[]> {
  const kind = KINDS[name];
  const plan = kind.plan(count);
  const addresses: string[] = [];
  const nodes: Node[] = [];
  for (let at = 0; at < count; at++) {
    const node = await start<NodeCommands>({
      name: `process ${at} of ${name}`,
      script: './gossip-processes/node.js',
      args: [name],
    });
    nodes.push(node);
    const dials =
      server === undefined ? plan[at]!.map((before) => addresses[before]!) : [server.address];
    addresses.push(await node.call('open', count, dials));
  }
  const end = performance.now() + LONGEST_START;
  let before = '';
  for (let same = 0; same < SETTLED; ) {
    const links = await Promise.all(nodes.map((node) => node.call('links')));
    same = kind.isReady(links, plan) && links.join() === before ? same + 1 : 0;
    before = links.join();
    if (performance.now() > end)
      throw new Error(
        `${name}: its processes are not connected after ${LONGEST_START} ms; links of each: ${before}`,
      );
    await sleep(LOOK);
  }
  return nodes;
}

/** Runs a stage until all others have everything or no message arrives any more. */
async function run(
  nodes: readonly Node[],
  stage: Stage,
  server: RunningServer | undefined,
): Promise<Figures> {
  const { first, count } = stage;
  const publisher = nodes.at(-1)!;
  const all = <T>(ask: (node: Node) => Promise<T>) => Promise.all(nodes.map(ask));
  const before = await all((node) => node.call('begin', first, node === publisher ? 0 : count));
  const pids = [publisher, ...nodes.slice(0, -1)].map(({ pid }) => pid);
  if (server !== undefined) pids.push(server.pid);
  const cpuBefore = pids.map(cpuTime);
  const rate = await publisher.call('publish', stage);
  const received = await all((node) => node.call('end', PATIENCE));
  const cpu = pids.map((pid, at) => cpuTime(pid) - cpuBefore[at]!);
  const delays = Float64Array.from(received.flatMap((each) => each.delays)).sort();
  const deliveries = delays.length;
  const each = (figure: keyof Traffic) =>
    sum(received.map(({ traffic }, at) => traffic[figure] - before[at]![figure])) / deliveries;
  return {
    rate,
    lost: count * (nodes.length - 1) - deliveries,
    wrong: sum(received.map(({ wrong }) => wrong)),
    p50: percentile(delays, 0.5) / 1_000,
    p99: percentile(delays, 0.99) / 1_000,
    cpu: sum(cpu) / deliveries / 1_000,
    publisherCpu: cpu[0]! / count / 1_000,
    ...(server !== undefined && { serverCpu: cpu.at(-1)! / deliveries / 1_000 }),
    copies: each('copies'),
    bytes: each('bytes'),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Milliseconds without any message after which missing messages count as lost. */
const PATIENCE = 5_000;
/**
 * Milliseconds between two checks of the links, and how many checks in a row must show the same.
 */
const LOOK = 250;
const SETTLED = 4;
/** Milliseconds from the last start until all processes must be connected. */
const LONGEST_START = 60_000;
