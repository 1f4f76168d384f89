// The processes of one adapter: they start one after the other and run stages of messages.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../child-process.ts';
import { cpuTime } from '../cpu-time.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { RunningServer } from './kind.ts';
import type { NodeCommand, NodeReport, NodeState } from './node.ts';
import type { Published } from './publisher.ts';
import type { Received } from './receiver.ts';

type Node = Child<NodeCommand, NodeReport>;

/** The messages of a stage: how many, at which rate, of which size. */
export interface Stage {
  readonly count: number;
  readonly rate: number;
  readonly size: number;
}

/** The result of a stage. */
export interface StageResult {
  readonly published: Published;
  /** Reports of each process except the publisher. */
  readonly received: readonly Received[];
  /** The states of all processes at the end of the stage. */
  readonly states: readonly NodeState[];
  /** Copies received and bytes transferred during the stage, over all processes. */
  readonly copies: number;
  readonly bytes: number;
  /**
   * Nanoseconds of CPU of the publisher, of all other processes, and of the server; absent if the
   * system does not report it.
   */
  readonly cpu?:
    | { readonly publisher: number; readonly others: number; readonly server: number }
    | undefined;
  readonly seconds: number;
}

export class Swarm {
  readonly #nodes: Node[] = [];
  #server: RunningServer | undefined = undefined;
  /** The number of the next message. */
  #next = 0;

  private constructor() {}

  /**
   * Starts the processes and resolves when they are connected as planned.
   * @throws Error if they are not connected in time.
   */
  static async start(name: KindName, nodes: number): Promise<Swarm> {
    const swarm = new Swarm();
    try {
      await swarm.#start(name, nodes);
      return swarm;
    } catch (error) {
      swarm.kill();
      throw error;
    }
  }

  async #start(name: KindName, nodes: number): Promise<void> {
    const kind = kindOf(name);
    this.#server = await kind.server?.start();
    const plan = kind.plan(nodes);
    const addresses: string[] = [];
    for (let at = 0; at < nodes; at++) {
      const { child } = await Child.start<NodeCommand, NodeReport>({
        name: `process ${at} of ${name}`,
        script: './gossip-processes/node.js',
        args: [name],
      });
      this.#nodes.push(child);
      const dials =
        this.#server === undefined
          ? plan[at]!.map((before) => addresses[before]!)
          : [this.#server.address];
      addresses.push((await child.run({ type: 'open', nodes, dials })).address!);
    }
    await this.#settled(name, (links) => kind.isReady(links, plan));
  }

  /**
   * Publishes at the rate from the last process, and waits until all others have everything or no
   * message arrives any more.
   */
  async run({ count, rate, size }: Stage): Promise<StageResult> {
    const publisher = this.#nodes.at(-1)!;
    const first = this.#next;
    this.#next += count;
    for (const node of this.#nodes)
      await node.run({ type: 'begin', first, count: node === publisher ? 0 : count });
    const before = await this.#states();
    const cpuBefore = this.#cpu();
    const begin = performance.now();
    const { published } = await publisher.run({ type: 'publish', first, count, rate, size });
    const others = this.#nodes.filter((node) => node !== publisher);
    const received = await Promise.all(
      others.map(async (node) => (await node.run({ type: 'end', patience: PATIENCE })).received!),
    );
    const seconds = (performance.now() - begin) / 1_000;
    const cpu = this.#cpu();
    const states = await this.#states();
    const more = (figure: 'copies' | 'bytes') =>
      states.reduce((sum, state, at) => sum + state[figure] - before[at]![figure], 0);
    return {
      published: published!,
      received,
      states,
      copies: more('copies'),
      bytes: more('bytes'),
      cpu: cpu &&
        cpuBefore && {
          publisher: cpu.publisher - cpuBefore.publisher,
          others: cpu.others - cpuBefore.others,
          server: cpu.server - cpuBefore.server,
        },
      seconds,
    };
  }

  /** Kills all processes: how they close is not measured. */
  kill(): void {
    for (const node of this.#nodes) node.kill();
    this.#server?.stop();
  }

  async #settled(name: KindName, isReady: (links: readonly number[]) => boolean): Promise<void> {
    const end = performance.now() + LONGEST_START;
    let before = '';
    for (let same = 0; same < SETTLED; ) {
      const links = (await this.#states()).map((state) => state.links);
      same = isReady(links) && links.join() === before ? same + 1 : 0;
      before = links.join();
      if (performance.now() > end)
        throw new Error(
          `${name}: its processes are not connected after ${LONGEST_START} ms; links of each: ${before}`,
        );
      await sleep(LOOK);
    }
  }

  #states(): Promise<NodeState[]> {
    return Promise.all(this.#nodes.map(async (node) => (await node.run({ type: 'state' })).state!));
  }

  #cpu(): { publisher: number; others: number; server: number } | undefined {
    const each = this.#nodes.map((node) => cpuTime(node.pid));
    const server = this.#server === undefined ? 0 : cpuTime(this.#server.pid);
    if (server === undefined || each.includes(undefined)) return undefined;
    const publisher = each.at(-1)!;
    return {
      publisher,
      others: each.reduce<number>((sum, time) => sum + time!, -publisher),
      server,
    };
  }
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
