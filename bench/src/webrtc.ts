// WebRTC and WebSocket beside bare data channels and bare sockets, with clients in Node and in
// Chromium.

import { ratioBar } from './bars.ts';
import { type Figures, type Row, taskOf } from './benchmark.ts';
import { Child, withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import { names } from './flags.ts';
import { runBenchmark } from './run.ts';
import { Chromium, unable } from './webrtc/chromium.ts';
import type { Command, Report } from './webrtc/client.ts';
import { type Addresses, AGAINST, COLUMNS, type Column } from './webrtc/columns.ts';

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
    const chromium = places.includes('chromium') ? await Chromium.start() : undefined;
    const rows = places.flatMap((group) =>
      COLUMNS.map((name): Row => {
        const against = AGAINST.get(name);
        return { group, name, against: against && { group, name: against } };
      }),
    );
    return {
      rows,
      tasks: rows.map((row) =>
        taskOf(row, row.group, () =>
          withServer(async (addresses, started): Promise<Figures> => {
            const column = row.name as Column;
            const command = { column, addresses, window, warmUp: window };
            const figures = await (row.group === 'node'
              ? inNode(command, started)
              : chromium!.measure(command));
            return { ...figures };
          }),
        ),
      ),
      titleOf: (group) => `clients in ${group}`,
      figuresOf: () => [
        { key: 'connect', unit: 'connect ms' },
        { key: 'p50', unit: 'p50 µs' },
        { key: 'calls', unit: 'calls/s' },
        { key: 'bulk', unit: 'MB/s' },
      ],
      bars: rows.flatMap((row) => {
        const { against } = row;
        if (against === undefined) return [];
        return [
          ratioBar('p50', row, against, { most: 1.15 }, 'p50 µs'),
          ratioBar('calls', row, against, { least: 0.8 }, 'calls/s'),
          ratioBar('bulk', row, against, { least: 0.8 }, 'MB/s'),
        ];
      }),
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
