// The benchmark of scale over TCP: more calls in flight, more connections, larger messages, beside
// the raw limit in the same run.

import { checkFiles } from './connections/files.ts';
import { cores, pinned } from './cores.ts';
import { publish } from './performance/publish.ts';
import { thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { type Options, readOptions, USAGE } from './scale/options.ts';
import { formatMarkdown, formatText } from './scale/report.ts';
import { runRounds } from './scale/rounds.ts';
import { summarize } from './scale/summary.ts';

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
  if (!options.help && options.parts.includes('connections'))
    checkFiles(Math.max(...options.points.connections));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
  options = undefined;
}
if (options?.help === true) console.log(USAGE);
else if (options !== undefined) await bench(options);

async function bench(options: Options): Promise<void> {
  const scale = summarize(await runRounds(options, showProgress).finally(endProgress));
  const { rounds, window } = options;
  if (options.json)
    return console.log(JSON.stringify({ node: process.version, rounds, window, scale }, null, 2));
  const places = pinned() ? 'the server on a core of its own' : 'not pinned to cores';
  const words = `Node ${process.versions.node}, ${places}; medians of ${rounds} rounds of ${window} ms, the last column that of the ratios within a round`;
  if (!options.report) return console.log(`${words}\n\n${formatText(scale)}`);
  console.log(`${words}\n\n${formatMarkdown(scale)}`);
  const machine = thisMachine(cores.length || undefined);
  const curves = options.parts.map((part) => [
    part,
    { machine, window, rounds, points: scale.filter((point) => point.part === part) },
  ]);
  publish({ scale: Object.fromEntries(curves) });
}
