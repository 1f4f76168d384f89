// Trunkline over NATS beside bare NATS: requests and a stream, through the same server.

import { startNatsServer, unable } from '@trunkline/local-nats';
import { ratioBar } from './bars.ts';
import { type Figures, taskOf } from './benchmark.ts';
import { Child, withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import type { Times } from './echo-task.ts';
import type { Command, Report } from './nats/client.child.ts';
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
      taskOf(row, '', () => measure({ column: row.name, window, warmUp: window })),
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

/** Measures one column with a NATS server, a server and a client of its own. */
async function measure(times: Times & { readonly column: string }): Promise<Figures> {
  const nats = await startNatsServer();
  return withChildren(async (started) => {
    await Child.start<object, object>({
      name: 'the server',
      script: './nats/server.js',
      args: [nats.address],
      core: cores[0],
      started,
    });
    const { child } = await Child.start<Command, Report>({
      name: 'the client',
      script: './nats/client.child.js',
      core: cores[1],
      started,
    });
    return { ...(await child.run({ ...times, server: nats.address })).figures! };
  }).finally(() => nats.kill());
}
