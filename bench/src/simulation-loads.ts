// The benchmark of the simulation at loads as its users write them: how much virtual time each runs
// in a second of CPU time, where that time goes, and the ratio to another checkout in the same
// rounds.

import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { listed, positive, runCommand } from './arguments.ts';
import { cores } from './cores.ts';
import { named } from './named.ts';
import { publish } from './performance/publish.ts';
import { thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { LOADS } from './simulation/loads/by-name.ts';
import { type LoadSetting, measureLoads } from './simulation/loads-measure.ts';
import { summarizeLoads, tableOfLoads } from './simulation/loads-report.ts';
import { alignTable } from './table.ts';

interface Options extends LoadSetting {
  readonly report: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

const USAGE = `usage: node bench/dist/simulation-loads.js [options]

  --load <names>     measures only these, comma-separated: ${LOADS.map(({ name }) => name).join(', ')}
  --before <folder>  also measures another checkout, which is built, in the same rounds
  --rounds <n>       number of rounds (default: 9)
  --window <ms>      duration of a measurement in milliseconds of CPU time (default: 3000), after a
                     warm-up twice as long
  --report           also updates this part of docs/performance.md
  --json             prints the figures as JSON instead of a table
  --smoke            runs one short round, to check that everything works
  --help             prints this text`;

await runCommand(readOptions, USAGE, bench);

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      load: { type: 'string' },
      before: { type: 'string' },
      rounds: { type: 'string' },
      window: { type: 'string' },
      report: { type: 'boolean' },
      json: { type: 'boolean' },
      smoke: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const smoke = values.smoke === true;
  return {
    loads: named('load', 'load', LOADS, ({ name }) => name, listed(values.load)),
    before: values.before === undefined ? undefined : checkoutOf(values.before),
    rounds: positive('rounds', values.rounds, smoke ? 1 : 9),
    window: positive('window', values.window, smoke ? 1 : 3_000),
    report: values.report === true && !smoke,
    json: values.json === true,
    help: values.help === true,
  };
}

function checkoutOf(folder: string): string {
  const path = resolve(folder) + sep;
  if (!existsSync(`${path}packages/transport-core/dist/index.js`))
    throw new TypeError(
      `--before: must be the folder of a checkout that is built, got '${folder}' (there is no packages/transport-core/dist/index.js)`,
    );
  return pathToFileURL(path).href;
}

async function bench(options: Options): Promise<void> {
  const { rounds, window, json, report } = options;
  const summary = summarizeLoads(await measureLoads(options, showProgress).finally(endProgress));
  if (report) {
    const machine = thisMachine(cores.length === 0 ? undefined : 1);
    publish({ simulation: { machine, rounds, window, figures: summary } });
  }
  if (json) console.log(JSON.stringify({ rounds, window, figures: summary }, null, 2));
  else {
    console.log(
      `Node ${process.versions.node}, medians of ${rounds} rounds of ${window} ms of CPU time, and shares of the time\n`,
    );
    console.log(alignTable(tableOfLoads(summary), 1));
  }
}
