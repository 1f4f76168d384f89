// The evaluation of gossip: the tables of the HyParView and Plumtree papers and iroh-gossip's
// limits and attacks, measured in simulation with the shipped code, and judged by limits.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listed, positive } from '@trunkline/bench/arguments';
import { formatDocument, formatText } from './gossip/document.ts';
import { jobsOf, PARTS, type PartName } from './gossip/jobs.ts';
import { SECTIONS } from './gossip/parts.ts';
import { runAll } from './gossip/pool.ts';
import { Sample } from './gossip/sample.ts';
import { scaleOf } from './gossip/scale.ts';
import { formatSvg } from './plot.ts';

const USAGE = `usage: node evaluation/dist/gossip.js [options]

  --only <names>    runs only these parts, comma-separated: ${PARTS.join(', ')}
  --nodes <n>       nodes of the networks of the papers, at least 1,000 (default: 10,000)
  --seeds <n>       seeds at 95 % failures (default: 20); the eclipse runs with a quarter of them,
                    swarms with a tenth and all other parts with a twentieth, rounded up
  --large           also runs iroh-gossip's network of 1,000 whole nodes, which takes hours
  --workers <n>     number of threads (default: the number of cores)
  --results <file>  the file of results, one per line; results in it are not computed again
  --report          writes docs/gossip-evaluation.md and its plots from the parts that ran; its
                    first lines name them
  --help            prints this text

The exit code is 1 if a limit is missed.`;

const TYPES = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;

try {
  const { values } = parseArgs({
    options: {
      only: TYPES,
      nodes: TYPES,
      seeds: TYPES,
      workers: TYPES,
      results: TYPES,
      large: FLAG,
      report: FLAG,
      help: FLAG,
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const names = values.only === undefined ? PARTS : listed(values.only);
    const unknown = names.find((name) => !PARTS.includes(name as PartName));
    if (unknown !== undefined) throw new TypeError(`--only: there is no '${unknown}'`);
    const parts = names as PartName[];
    const nodes = positive('nodes', values.nodes, 10_000);
    if (nodes < 1_000) throw new TypeError(`--nodes: must be at least 1000, got ${nodes}`);
    const scale = scaleOf({
      nodes,
      seeds: positive('seeds', values.seeds, 20),
      large: values.large === true,
    });
    const jobs = parts.flatMap((part) => jobsOf(part, scale));
    const results = await runAll(jobs, {
      workers: positive('workers', values.workers, availableParallelism()),
      file: values.results,
    });
    const sections = parts.map((part) => SECTIONS[part](new Sample(results), scale));
    console.log(formatText(sections));
    if (values.report === true) {
      const folder = fileURLToPath(new URL('../../docs/', import.meta.url));
      const command = [
        'pnpm evaluate gossip --report',
        ...(values.only === undefined ? [] : [`--only ${names.join()}`]),
        ...(values.nodes === undefined ? [] : [`--nodes ${nodes}`]),
        ...(values.seeds === undefined ? [] : [`--seeds ${values.seeds}`]),
      ];
      const document = {
        command: command.join(' '),
        node: process.versions.node.split('.')[0]!,
        machine: `${cpus().length} cores of ${process.arch}`,
        hours: results.reduce((sum, { seconds }) => sum + seconds, 0) / 3_600,
      };
      mkdirSync(`${folder}gossip-evaluation`, { recursive: true });
      writeFileSync(`${folder}gossip-evaluation.md`, formatDocument(sections, document));
      for (const plot of sections.flatMap(({ plots }) => plots))
        writeFileSync(`${folder}gossip-evaluation/${plot.name}.svg`, formatSvg(plot));
    }
    if (sections.some(({ verdicts }) => verdicts.some(({ holds }) => !holds))) process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
