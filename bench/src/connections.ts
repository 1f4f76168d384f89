// The benchmark of open connections: the memory and CPU that 10,000 of them (mutual TLS or plain)
// take at one server, beside bare sockets in the same run, and whether all of them survive minutes
// of keep-alive. Exit code 1 if a bar is missed.

import { judge } from './connections/bars.ts';
import { checkFiles } from './connections/files.ts';
import { type Measurement, measure } from './connections/measure.ts';
import { type Options, readOptions, USAGE } from './connections/options.ts';
import { formatJson, formatTable } from './connections/report.ts';
import { pinned } from './cores.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
  if (!options.help) checkFiles(options.count);
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
  options = undefined;
}
if (options?.help === true) console.log(USAGE);
else if (options !== undefined) await bench(options);

async function bench(options: Options): Promise<void> {
  const measurements: Measurement[] = [];
  try {
    for (const kind of options.kinds) measurements.push(await measure(kind, options, showProgress));
  } finally {
    endProgress();
  }
  const verdicts = judge(measurements, options);
  if (options.json) return console.log(formatJson(measurements, options, verdicts));
  const cores = pinned() ? 'the server on a core of its own' : 'not pinned to cores';
  console.log(
    `Node ${process.versions.node}, ${cores}; memory of the server per connection, after GC\n`,
  );
  console.log(`${formatTable(measurements)}\n\n${formatVerdicts(verdicts)}`);
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
