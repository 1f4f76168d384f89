// The process of a node: it runs the scenario up to the declaration of its own node, and then runs
// the node's setup on a real transport, the real clock and a store of files.

import process from 'node:process';
import { createFileStore } from '@trunkline/peers/node';
import { type Protocol, systemClock, type Transport } from '@trunkline/transport-core';
import { NetworkTransport, systemWall } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import type {
  NodeContext,
  NodeSetup,
  NodeStop,
  SimTransportOptions,
} from '../nodes/node-context.ts';
import type { Simulation } from '../simulation.ts';
import { DeclaringSimulation } from './declaring-simulation.ts';
import type { FromNode, NodeTask, ToNode } from './messages.ts';
import { type Directory, NamedLayer, PromisedLayer } from './named-layer.ts';
import { importNetwork } from './process-network.ts';

class NodeMain {
  readonly #task: NodeTask;
  readonly #transports: Transport<Protocol>[] = [];
  readonly #answers = new Map<number, (address: string | undefined) => void>();
  readonly #directory: Directory = {
    announce: (target, address) => this.#tell({ type: 'listening', target, address }),
    resolve: (target) =>
      new Promise((resolve) => {
        this.#answers.set(++this.#asked, resolve);
        this.#tell({ type: 'resolve', id: this.#asked, target });
      }),
  };
  #asked = 0;
  #stop: NodeStop | undefined;

  constructor(task: NodeTask) {
    this.#task = task;
    process.on('message', (message: ToNode) => {
      if (message.type === 'stop') return void this.#end();
      this.#answers.get(message.id)?.(message.address);
      this.#answers.delete(message.id);
    });
    // The test is over or its process has died.
    process.on('disconnect', end);
    for (const event of ['uncaughtException', 'unhandledRejection'] as const)
      process.on(event, (error: unknown) => this.#failed(error));
  }

  /** Never resolves if the scenario waits before it declares this node. */
  async run(): Promise<void> {
    const { scenario, name } = this.#task;
    const { default: declare } = (await import(scenario)) as {
      default: (sim: Simulation) => Promise<void>;
    };
    const setup = new Promise<NodeSetup>((resolve, reject) => {
      const sim = new DeclaringSimulation(this.#task.seed, (declared, setup) => {
        if (declared === name) resolve(setup);
      });
      declare(sim as unknown as Simulation).catch(reject);
    });
    const stop = await (await setup)(await this.#context());
    if (typeof stop === 'function') this.#stop = stop;
    this.#tell({ type: 'ready' });
  }

  async #context(): Promise<NodeContext> {
    const { name, network, prepared, folder, seed, life } = this.#task;
    const { layer } = await importNetwork(network);
    const random = seededRandom(hash(`${seed} ${name} ${life}`));
    const store = createFileStore(folder);
    return {
      name,
      clock: Object.assign(Object.create(systemClock), { wall: systemWall }),
      random,
      store,
      transport: <P extends Protocol>(
        protocol: P,
        { name: further, layer: wrap, ...options }: SimTransportOptions = {},
      ) => {
        const address = further === undefined ? name : `${name}/${further}`;
        const real = new PromisedLayer(Promise.resolve(layer(address, prepared)));
        const named = new NamedLayer(address, real, this.#directory);
        const transport = new NetworkTransport({
          ...options,
          protocol,
          stream: wrap === undefined ? named : wrap(named),
          clock: systemClock,
          random,
        });
        this.#transports.push(transport as unknown as Transport<Protocol>);
        return transport;
      },
      log: (text) => this.#tell({ type: 'log', text: String(text) }),
      state: (state) => this.#tell({ type: 'state', state: stateText(state) }),
    };
  }

  async #end(): Promise<void> {
    try {
      await this.#stop?.();
      await Promise.all(this.#transports.map((transport) => transport.close({ grace: 0 })));
    } finally {
      end();
    }
  }

  /** Reports an error that fails the run; this process goes on until it is stopped. */
  #failed(error: unknown): void {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#tell({ type: 'failed', text });
  }

  #tell(message: FromNode): void {
    if (process.connected) process.send!(message, undefined, undefined, () => {});
  }
}

/** Ends this process, no matter what is still open. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Formats a state as a simulation does: 'role leader, term 3'. */
function stateText(state: string | Readonly<Record<string, unknown>>): string {
  const entries =
    typeof state === 'string'
      ? [state]
      : Object.entries(state).map(([key, value]) => `${key} ${String(value)}`);
  return entries.join(', ').slice(0, LONGEST_STATE);
}

/** Returns a number for a text (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x0100_0193);
  return value | 0;
}

/** Maximum length of a state, in characters. */
const LONGEST_STATE = 150;

const main = new NodeMain(JSON.parse(process.argv[2]!) as NodeTask);
await main.run();
