// One of the processes: `node.js <adapter>`. Each of them can publish on request; all receive.

import { runCommands } from '../commands.ts';
import { KINDS, type KindName } from './by-name.ts';
import type { Spreader } from './kind.ts';
import { publishAll, Receiver, type Stage } from './stage.ts';

const kind = KINDS[process.argv[2] as KindName];
let spreader: Spreader;
let receiver = new Receiver(0, 0);

const commands = {
  /** Opens this process's part, and returns its address. */
  async open(nodes: number, dials: readonly string[]) {
    spreader = await kind.open({ nodes, dials }, (message) => receiver.take(message));
    return spreader.address;
  },

  links: () => spreader.links(),

  /** Begins a stage in which `count` messages will arrive, and returns the traffic so far. */
  begin(first: number, count: number) {
    receiver = new Receiver(first, count);
    return spreader.traffic();
  },

  /** Returns the messages published a second. */
  publish: (stage: Stage) => publishAll(stage, (message) => spreader.publish(message)),

  /** Ends the stage when all messages have arrived, or none did for `patience` milliseconds. */
  async end(patience: number) {
    const received = await receiver.end(patience);
    return { ...received, traffic: spreader.traffic() };
  },
};
export type NodeCommands = typeof commands;

runCommands(commands, () => void spreader?.close());
