// A process that runs one load, with one seed after another: `load.child.js <load>`.

import type { Figures } from '../benchmark.ts';
import { runCommands } from '../commands.ts';
import { LOADS } from './loads.ts';

const load = LOADS.find(({ name }) => name === process.argv[2])!;
let seed = 1;

const commands = {
  /**
   * Runs the load for milliseconds of CPU time, and returns the ratio of virtual time to CPU time,
   * and the events a second of CPU time.
   */
  async run(milliseconds: number): Promise<Figures> {
    const begin = process.cpuUsage();
    let [virtual, events, spent] = [0, 0, 0];
    do {
      const sim = await load.run(seed++);
      virtual += sim.now;
      events += sim.events;
      await sim.close();
      const { user, system } = process.cpuUsage(begin);
      spent = (user + system) / 1_000;
    } while (spent < milliseconds);
    return { times: virtual / spent, events: (events / spent) * 1_000 };
  },
};
export type LoadCommands = typeof commands;

runCommands(commands, () => {});
