// Trunkline over NATS beside bare NATS: requests and a stream, each through a server of its own.

import { unable } from '@trunkline/local-nats';
import { ratioBar } from './bars.ts';
import { type Row, taskOf } from './benchmark.ts';
import { measurePair } from './pair.ts';
import { runBenchmark } from './run.ts';
import type { Load } from './scenarios.ts';

const BARE: Row = { group: '', name: 'bare-nats' };
const OURS: Row = { group: '', name: 'trunkline-nats', against: BARE.name };

await runBenchmark({
  name: 'nats',
  summary: 'Each measurement has three tasks of this length. Exit code 1 if a bar is missed.',
  rounds: 5,
  window: 1_500,
  flags: {},
  unable,
  plan: ({ window }) => ({
    tasks: [BARE, OURS].map((row) =>
      taskOf(row, async () => {
        const measure = (scenario: string | Load) =>
          measurePair(row.name, { scenario, warmUp: window, window });
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
      ratioBar('calls', OURS, { least: 3 }, 'requests/s at 256'),
      ratioBar('bulk', OURS, { least: 0.7 }, 'MB/s'),
    ],
  }),
});
