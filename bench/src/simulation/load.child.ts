// A process that runs one load with the packages of one checkout: `load.child.js <load> <url of the
// checkout>`. It runs the load with one seed after another.

import type { Figures } from '../benchmark.ts';
import { offer } from '../commands.ts';
import { LOADS, loadPackages } from './loads.ts';

const [name, checkout] = process.argv.slice(2);
const load = LOADS.find((each) => each.name === name)!;
const packages = await loadPackages(checkout!);
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
      const run = await load.run(packages, seed++);
      virtual += run.virtual;
      events += run.events;
      const { user, system } = process.cpuUsage(begin);
      spent = (user + system) / 1_000;
    } while (spent < milliseconds);
    return { times: virtual / spent, events: (events / spent) * 1_000 };
  },
};
export type LoadCommands = typeof commands;

offer(commands, () => {});
