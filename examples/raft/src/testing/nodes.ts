// Raft nodes on a simulated network, for tests of the driver.

import { createSimulation, type LinkOptions } from '@trunkline/simulation';
import { KeyValueStore } from '../kv.ts';
import { raftProtocol } from '../messages.ts';
import type { RaftEvent, RaftNode, RaftNodeOptions } from '../node.ts';
import { startNode } from '../sim/start-node.ts';

export const ELECTION = 150;
export const HEARTBEAT = 30;

export class Nodes {
  readonly sim;
  readonly names: readonly string[];
  /** The nodes in their current lives. */
  readonly peers = new Map<string, { node: RaftNode; machine: KeyValueStore }>();
  readonly events: { readonly name: string; readonly event: RaftEvent }[] = [];
  /** A transport that no node uses. */
  readonly outside;

  constructor(count: number, options: Partial<RaftNodeOptions> = {}, link?: LinkOptions) {
    this.sim = createSimulation({ link });
    this.names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
    for (const name of this.names)
      this.sim.node(name, async (context) => {
        const machine = new KeyValueStore();
        const { node, stop } = await startNode(context, {
          members: this.names,
          machine,
          electionTimeout: ELECTION,
          heartbeat: HEARTBEAT,
          onEvent: (event) => void this.events.push({ name, event }),
          ...options,
        });
        this.peers.set(name, { node, machine });
        return stop;
      });
    this.outside = this.sim.client(raftProtocol, { name: 'c' });
  }

  /** The nodes that are up. */
  get up(): readonly string[] {
    return this.names.filter((name) => this.peers.has(name) && this.sim.isUp(name));
  }

  status(name: string): RaftNode['status'] {
    return this.peers.get(name)!.node.status;
  }

  /** Resolves with a leader that at least half of the nodes that are up follow. */
  async leader(): Promise<string> {
    const find = () =>
      this.up.find(
        (name) =>
          this.status(name).role === 'leader' &&
          this.up.filter((other) => this.status(other).leader === name).length >
            this.names.length / 2,
      );
    await this.sim.until(find, 5_000);
    return find()!;
  }

  /** Sends a command to a node, and resolves with the answer. */
  async propose(name: string, command: Uint8Array): Promise<Uint8Array> {
    return this.sim.settle(this.outside.send(name, 'propose', command, { timeout: 5_000 }));
  }

  /** Resolves when all nodes that are up have a value. */
  async until(key: string, value: string, within: number): Promise<void> {
    const has = (name: string) => this.peers.get(name)!.machine.get(key) === value;
    await this.sim.until(() => this.up.length > 0 && this.up.every(has), within);
  }
}
