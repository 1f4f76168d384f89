// WebRTC and WebSocket beside bare data channels and bare sockets, with clients in Node and in
// Chromium.

import { ratioBar } from './bars.ts';
import { type Figures, taskOf } from './benchmark.ts';
import { Child, withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import { names } from './flags.ts';
import { runBenchmark } from './run.ts';
import { startChromium, unable } from './webrtc/chromium.ts';
import type { Command, Report } from './webrtc/client.ts';
import { type Addresses, AGAINST, COLUMNS } from './webrtc/columns.ts';

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
          withServer(async (addresses, started): Promise<Figures> => {
            const command = { column, addresses, window, warmUp: window };
            return group === 'node' ? inNode(command, started) : chromium!.measure(command);
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

type Started = { kill(): void }[];

/** Each measurement has a server of its own. */
function withServer<T>(use: (addresses: Addresses, started: Started) => Promise<T>): Promise<T> {
  return withChildren(async (started) => {
    const { report } = await Child.start<object, Addresses>({
      name: 'the server',
      script: './webrtc/server.js',
      core: cores[0],
      started,
    });
    return use(report, started);
  });
}

async function inNode(command: Command, started: Started) {
  const { child } = await Child.start<Command, Report>({
    name: 'the client',
    script: './webrtc/client.js',
    core: cores[1],
    started,
  });
  return (await child.run(command)).figures!;
}
