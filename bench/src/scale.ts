// The benchmark of scale over TCP: more calls in flight, more connections, larger messages, beside the raw limit in the same run.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkFiles } from './connections/files.ts';
import { pinned } from './cores.ts';
import { formatSvg } from './plot.ts';
import { endProgress, showProgress } from './progress.ts';
import { type Options, readOptions, USAGE } from './scale/options.ts';
import { formatMarkdown, formatText, plotsOf } from './scale/report.ts';
import { runRounds } from './scale/rounds.ts';
import { summarize } from './scale/summary.ts';

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
  if (!options.help && options.parts.includes('connections')) checkFiles(Math.max(...options.points.connections));
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
  if (options.json) return console.log(JSON.stringify({ node: process.version, rounds, window, scale }, null, 2));
  const cores = pinned() ? 'the server on a core of its own' : 'not pinned to cores';
  const words = `Node ${process.versions.node}, ${cores}; medians of ${rounds} rounds of ${window} ms, the last column that of the ratios within a round`;
  if (!options.report) return console.log(`${words}\n\n${formatText(scale)}`);
  console.log(`${words}\n\n${formatMarkdown(scale)}`);
  const folder = fileURLToPath(new URL('../../docs/performance/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const plot of plotsOf(scale)) writeFileSync(`${folder}${plot.name}.svg`, formatSvg(plot));
}
