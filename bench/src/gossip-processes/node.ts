// One of the processes: `node.js <adapter>`. Each of them can publish on request; all receive.

import { report, runCommands } from '../commands.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { Spreader, Traffic } from './kind.ts';
import { type Published, type Publishing, publishAll } from './publisher.ts';
import { type Received, Receiver } from './receiver.ts';

export type NodeCommand =
  | { readonly type: 'open'; readonly nodes: number; readonly dials: readonly string[] }
  | { readonly type: 'state' }
  /** A stage begins; these messages will arrive. */
  | { readonly type: 'begin'; readonly first: number; readonly count: number }
  | ({ readonly type: 'publish' } & Publishing)
  /** The stage ends when all messages have arrived, or none did for `patience` milliseconds. */
  | { readonly type: 'end'; readonly patience: number };

/** The answer to a command. */
export interface NodeReport {
  readonly address?: string;
  readonly state?: NodeState;
  readonly published?: Published;
  readonly received?: Received;
}

export interface NodeState extends Traffic {
  readonly links: number;
}

const kind = kindOf(process.argv[2] as KindName);
let spreader: Spreader;
let receiver = new Receiver(0, 0);

runCommands<NodeCommand, NodeReport>(
  async (command) => {
    if (command.type === 'open') {
      spreader = await kind.open(command, (message) => receiver.take(message));
      return { address: spreader.address };
    }
    if (command.type === 'state')
      return { state: { links: spreader.links(), ...spreader.traffic() } };
    if (command.type === 'publish')
      return { published: await publishAll(command, (message) => spreader.publish(message)) };
    if (command.type === 'end') return { received: await receiver.end(command.patience) };
    receiver = new Receiver(command.first, command.count);
    return {};
  },
  () => void spreader?.close(),
);
report<NodeReport>({});
