// One of the processes: `node.js <adapter>`. Each of them can publish on request; all receive.

import { report, runCommands } from '../commands.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { Spreader, Traffic } from './kind.ts';
import { publishAll, type Received, Receiver, type Stage } from './stage.ts';

export type NodeCommand =
  | { readonly type: 'open'; readonly nodes: number; readonly dials: readonly string[] }
  | { readonly type: 'links' }
  /** A stage begins; `count` messages will arrive. */
  | { readonly type: 'begin'; readonly first: number; readonly count: number }
  | ({ readonly type: 'publish' } & Stage)
  /** The stage ends when all messages have arrived, or none did for `patience` milliseconds. */
  | { readonly type: 'end'; readonly patience: number };

/** The answer to a command. */
export interface NodeReport {
  readonly address?: string;
  readonly links?: number;
  /** Messages published a second. */
  readonly rate?: number;
  readonly received?: Received;
  readonly traffic?: Traffic;
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
    if (command.type === 'links') return { links: spreader.links() };
    if (command.type === 'publish')
      return { rate: await publishAll(command, (message) => spreader.publish(message)) };
    if (command.type === 'begin') receiver = new Receiver(command.first, command.count);
    else return { received: await receiver.end(command.patience), traffic: spreader.traffic() };
    return { traffic: spreader.traffic() };
  },
  () => void spreader?.close(),
);
report<NodeReport>({});
