// One of the processes: `node.js <adapter>`. Each of them can publish on request; all receive.

import { obey, report } from '../orders.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { Spreader, Traffic } from './kind.ts';
import { type Published, type Publishing, publishAll } from './publisher.ts';
import { type Received, Receiver } from './receiver.ts';

export type NodeOrder =
  | { readonly ask: 'open'; readonly nodes: number; readonly dials: readonly string[] }
  | { readonly ask: 'state' }
  /** A stage begins; these messages will arrive. */
  | { readonly ask: 'begin'; readonly first: number; readonly count: number }
  | ({ readonly ask: 'publish' } & Publishing)
  /** The stage ends when all messages have arrived, or none did for `patience` milliseconds. */
  | { readonly ask: 'end'; readonly patience: number };

/** The answer to an order. */
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

obey<NodeOrder, NodeReport>(
  async (order) => {
    if (order.ask === 'open') {
      spreader = await kind.open(order, (message) => receiver.take(message));
      return { address: spreader.address };
    }
    if (order.ask === 'state') return { state: { links: spreader.links(), ...spreader.traffic() } };
    if (order.ask === 'publish')
      return { published: await publishAll(order, (message) => spreader.publish(message)) };
    if (order.ask === 'end') return { received: await receiver.end(order.patience) };
    receiver = new Receiver(order.first, order.count);
    return {};
  },
  () => void spreader?.close(),
);
report<NodeReport>({});
