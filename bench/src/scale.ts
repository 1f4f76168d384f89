// Scale over TCP: more calls in flight, more connections, larger messages, beside the raw limit.

import { readFileSync } from 'node:fs';
import { alone, type Figure, taskOf } from './benchmark.ts';
import { names, numbers } from './flags.ts';
import { withPair } from './pair.ts';
import { runBenchmark } from './run.ts';

const PARTS = ['flight', 'sizes', 'connections'] as const;
const LIMIT = 'limit-net';
const SMALL = 64;
/** Calls in flight over all connections. */
const IN_FLIGHT = 128;
/** Bytes of large messages in flight; at least one message is. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
/** The processes that hold the connections. */
const CLIENTS = 4;
/** Files that a process has open besides its connections. */
const OTHER_FILES = 100;
const FIGURES: readonly Figure[] = [
  { key: 'rate', unit: 'calls/s' },
  alone('bulk', 'MB/s'),
  alone('clientCpu', 'client CPU, ns per call'),
  alone('serverCpu', 'server CPU, ns per call'),
];

interface Point {
  readonly group: string;
  readonly size?: number;
  readonly inFlight?: number;
  readonly connections?: number;
}

await runBenchmark({
  name: 'scale',
  summary: 'Messages up to 64 KiB are echoed, larger ones are answered with a receipt.',
  rounds: 3,
  window: 1_000,
  flags: {
    only: names('measures only these parts', PARTS),
    'in-flight': numbers('calls in flight on one connection', [1, 8, 128, 512, 2_048], [1, 8]),
    connections: numbers('connections of one server', [1, 100, 1_000, 10_000], [1, 20]),
    sizes: numbers(
      'bytes of a message, at least 8, besides a message of none',
      [64, 1_024, 16_384, 65_536, 1_048_576, 16_777_216, 67_108_864],
      [1_024],
    ),
  },
  plan({ only, 'in-flight': flight, connections, sizes, window }) {
    if (only.includes('connections')) checkFiles(Math.max(...connections));
    if (sizes.some((size) => size < 8))
      throw new TypeError(`--sizes: must be at least 8, got '${sizes.join()}'`);
    const points: Record<(typeof PARTS)[number], readonly Point[]> = {
      flight: flight.map((inFlight) => ({ group: `${inFlight} in flight`, inFlight })),
      sizes: [0, ...sizes].map((size) => ({
        group: bytesName(size),
        size,
        inFlight: Math.max(Math.min(Math.floor(IN_FLIGHT_BYTES / Math.max(size, 1)), IN_FLIGHT), 1),
      })),
      connections: connections.map((count) => ({
        group: `${count.toLocaleString('en-US')} connections`,
        connections: count,
      })),
    };
    return {
      tasks: PARTS.filter((part) => only.includes(part))
        .flatMap((part) => points[part])
        .flatMap(({ group, size = SMALL, inFlight = IN_FLIGHT, connections: count = 1 }) =>
          [LIMIT, 'trunkline-tcp'].map((name) =>
            taskOf({ group, name, against: name === LIMIT ? undefined : LIMIT }, (tell) => {
              const processes = Math.min(CLIENTS, count);
              return withPair(name, { clients: processes }, async (pair) => {
                tell(`opening ${count}`);
                await pair.open(count);
                const share = Math.max(Math.floor(inFlight / processes), 1);
                const scenario = { size, inFlight: share };
                return pair.run({ scenario, warmUp: window / 3, window });
              });
            }),
          ),
        ),
      figuresOf: () => FIGURES,
    };
  },
});

/**
 * Checks the limit of open files, which Node raises to the hard limit when it starts.
 * @throws TypeError if a server could not have so many; the message says what to do.
 */
function checkFiles(count: number): void {
  const file = '/proc/self/limits';
  const limits = process.platform === 'linux' ? readFileSync(file, 'utf8') : '';
  const most = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  if (most === undefined || count + OTHER_FILES <= Number(most)) return;
  throw new TypeError(
    `--connections: ${count} connections are as many open files, and a process may have ${most} here; raise it (ulimit -Hn) or open fewer`,
  );
}

function bytesName(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${bytes / 1_024} KiB` : `${bytes / 1_048_576} MiB`;
}
