// Trunkline over NATS beside bare NATS: requests and a stream, each through a server of its own.

import { unable } from '@trunkline/local-nats';
import { ratioBar } from './bars.ts';
import { taskOf } from './benchmark.ts';
import { measurePair } from './pair.ts';
import { runBenchmark } from './run.ts';

const BARE = { group: '', name: 'bare-nats' };
const OURS = { group: '', name: 'trunkline-nats', against: BARE };

await runBenchmark({
  name: 'nats',
  summary: 'Each measurement has three tasks of this length. Exit code 1 if a bar is missed.',
  rounds: 5,
  window: 1_500,
  flags: {},
  unable,
  plan: ({ window }) => ({
    rows: [BARE, OURS],
    tasks: [BARE, OURS].map((row) =>
      taskOf(row, '', async () => {
        const measure = (scenario: Parameters<typeof measurePair>[1]) =>
          measurePair(row.name, scenario, { warmUp: window, window });
        const { p50 } = await measure('s1');
        const { rate } = await measure({ size: 64, inFlight: 256 });
        const { bulk } = await measure('stream');
        return { p50, calls: rate, bulk };
      }),
    ),
    figuresOf: () => [
      { key: 'p50', unit: 'p50 µs' },
      { key: 'calls', unit: 'requests/s at 256' },
      { key: 'bulk', unit: 'MB/s' },
    ],
    bars: [
      ratioBar('calls', OURS, BARE, { least: 3 }, 'requests/s at 256'),
      ratioBar('bulk', OURS, BARE, { least: 0.7 }, 'MB/s'),
    ],
  }),
});
