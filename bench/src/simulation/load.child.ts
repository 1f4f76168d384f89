// A process that runs one load with the packages of one checkout: `load.child.js <load> <url of the
// checkout>`. It runs the load with one seed after another until the window has passed.

import type { Figures } from '../benchmark.ts';
import { report, runCommands } from '../commands.ts';
import { LOADS, loadPackages } from './loads.ts';

/**
 * A command from the parent: the length of the warm-up and of the measurement, in milliseconds of
 * CPU time.
 */
export interface LoadCommand {
  readonly warmUp: number;
  readonly window: number;
}

/** A report to the parent: the process is ready, or the result of a command. */
export interface LoadReport {
  readonly figures?: Figures;
}

const [name, checkout] = process.argv.slice(2);
const load = LOADS.find((each) => each.name === name)!;
const packages = await loadPackages(checkout!);
let seed = 1;

runCommands<LoadCommand, LoadReport>(
  async ({ warmUp, window }) => {
    await runFor(warmUp);
    return { figures: await runFor(window) };
  },
  () => {},
);
report<LoadReport>({});

/** The ratio of virtual time to CPU time, and the events a second of CPU time. */
async function runFor(milliseconds: number): Promise<Figures> {
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
}
