// The benchmark of the dashboard: the frames and the memory of its page in Chromium, while a
// synthetic network changes every second and its picture is panned. Exit code 1 if a bar is missed.

import { parseArgs } from 'node:util';
import { positive, runCommand } from './arguments.ts';
import { measurePage } from './dashboard/measure-page.ts';
import { endProgress, showProgress } from './progress.ts';
import { median, percentile } from './statistics.ts';

const USAGE = `usage: node bench/dist/dashboard.js [options]

  --nodes <n>     number of nodes (default: 1000)
  --links <n>     number of links (default: 5000)
  --seconds <n>   duration of the measurement (default: 60); 3600 shows whether memory is stable
  --help          prints this text`;

/** The longest median frame in milliseconds. */
const LONGEST_FRAME = 33;

await runCommand(readOptions, USAGE, bench);

interface Options {
  readonly nodes: number;
  readonly links: number;
  readonly seconds: number;
  readonly help: boolean;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string' },
      links: { type: 'string' },
      seconds: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  return {
    nodes: positive('nodes', values.nodes, 1_000),
    links: positive('links', values.links, 5_000),
    seconds: positive('seconds', values.seconds, 60),
    help: values.help === true,
  };
}

async function bench({ nodes, links, seconds }: Options): Promise<void> {
  const options = { nodes, links, seconds, progress: showProgress };
  const { frames, memory } = await measurePage(options).finally(endProgress);
  const sorted = Float64Array.from(frames).sort();
  const middle = median(frames);
  console.log(
    `${nodes} nodes, ${links} links, ${seconds} s at 1280 x 800: ${frames.length} frames`,
  );
  console.log(
    `frame: median ${middle.toFixed(1)} ms, p95 ${percentile(sorted, 0.95).toFixed(1)} ms, p99 ${percentile(sorted, 0.99).toFixed(1)} ms`,
  );
  console.log(`memory in MB: ${memory.map((each) => each.toFixed(0)).join(' ')}`);
  const holds = middle <= LONGEST_FRAME;
  console.log(`median frame at most ${LONGEST_FRAME} ms: ${holds ? 'holds' : 'MISSED'}`);
  if (!holds) process.exitCode = 1;
}
