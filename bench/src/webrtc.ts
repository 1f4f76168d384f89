// WebRTC and WebSocket beside bare data channels and bare sockets, with clients in Node and in
// Chromium.

import { ratioBar } from './bars.ts';
import { taskOf } from './benchmark.ts';
import { withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import { names } from './flags.ts';
import { runBenchmark } from './run.ts';
import { startChromium, unable } from './webrtc/chromium.ts';
import { AGAINST, COLUMNS } from './webrtc/columns.ts';
import type { EndCommands } from './webrtc/end.ts';

const PLACES = ['node', 'chromium'] as const;

await runBenchmark({
  name: 'webrtc',
  summary: 'Each measurement has three tasks of this length. Exit code 1 if a bar is missed.',
  rounds: 5,
  window: 1_500,
  flags: { client: names('measures only clients in these places', PLACES) },
  async plan({ client, window }) {
    const reason = unable();
    if (reason !== undefined) console.error(`skipped: clients in Chromium: ${reason}`);
    const places = client.filter((place) => place === 'node' || reason === undefined);
    const chromium = places.includes('chromium') ? await startChromium() : undefined;
    const tasks = places.flatMap((group) =>
      COLUMNS.map((column) =>
        taskOf({ group, name: column, against: AGAINST.get(column) }, () =>
          // Each measurement has a server of its own.
          withChildren(async (start) => {
            const end = (name: string, core?: string) =>
              start<EndCommands>({ name, script: './webrtc/end.js', core });
            const at = await (await end('the server', cores[0])).call('serve', column);
            const command = { column, at, window, warmUp: window };
            if (group === 'chromium') return chromium!.measure(command);
            return (await end('the client', cores[1])).call('measure', command);
          }),
        ),
      ),
    );
    return {
      tasks,
      titleOf: (group) => `clients in ${group}`,
      figuresOf: () => [
        { key: 'connect', unit: 'connect ms' },
        { key: 'p50', unit: 'p50 µs' },
        { key: 'calls', unit: 'calls/s' },
        { key: 'bulk', unit: 'MB/s' },
      ],
      bars: tasks
        .map(({ rows: [row] }) => row!)
        .filter(({ against }) => against !== undefined)
        .flatMap((row) => [
          ratioBar('p50', row, { most: 1.15 }, 'p50 µs'),
          ratioBar('calls', row, { least: 0.8 }, 'calls/s'),
          ratioBar('bulk', row, { least: 0.8 }, 'MB/s'),
        ]),
      close: async () => chromium?.close(),
    };
  },
});
