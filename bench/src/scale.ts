// Scale over TCP: more calls in flight, more connections, larger messages, beside the raw limit.

import { type Figure, type Figures, taskOf } from './benchmark.ts';
import { checkFiles } from './connections/files.ts';
import { withConnections } from './connections/measure.ts';
import { names, number, numbers } from './flags.ts';
import { measurePair } from './pair.ts';
import { runBenchmark } from './run.ts';
import type { Load } from './scenarios.ts';

const PARTS = ['flight', 'connections', 'sizes'] as const;
const LIMIT = 'limit-net';
const CARRIERS = [LIMIT, 'trunkline-tcp'];
const SMALL = 64;
/** Calls in flight over all connections. */
const IN_FLIGHT = 128;
/** Bytes of large messages in flight; at least one message is. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
const FIGURES: readonly Figure[] = [
  { key: 'rate', unit: 'calls/s' },
  { key: 'bulk', unit: 'MB/s', compared: 'never' },
  { key: 'clientCpu', unit: 'client CPU, ns per call', compared: 'never' },
  { key: 'serverCpu', unit: 'server CPU, ns per call', compared: 'never' },
];

await runBenchmark({
  name: 'scale',
  summary: 'Messages up to 64 KiB are echoed, larger ones are answered with a receipt.',
  rounds: 3,
  window: 1_000,
  isPublished: true,
  flags: {
    only: names('measures only these parts', PARTS),
    'in-flight': numbers('calls in flight on one connection', [1, 8, 128, 512, 2_048], [1, 8]),
    connections: numbers(
      'connections of one server, in rising order',
      [1, 100, 1_000, 10_000],
      [1, 20],
    ),
    sizes: numbers(
      'bytes of a message, at least 8, besides a message of none',
      [64, 1_024, 16_384, 65_536, 1_048_576, 16_777_216, 67_108_864],
      [1_024],
    ),
    clients: number('number of processes that hold the connections', 4, 2),
  },
  plan({ only, 'in-flight': flight, connections, sizes, clients, window }) {
    if (only.includes('connections')) checkFiles(Math.max(...connections));
    for (const [name, values, least] of [
      ['connections', connections, 1],
      ['sizes', sizes, 8],
    ] as const)
      if (values.some((value, at) => value < least || value <= (values[at - 1] ?? 0)))
        throw new TypeError(`--${name}: must be rising from ${least}, got '${values.join()}'`);
    const loads: (Load & { readonly group: string })[] = [
      ...(only.includes('flight') ? flight : []).map((inFlight) => ({
        group: `${inFlight} in flight`,
        size: SMALL,
        inFlight,
      })),
      ...(only.includes('sizes') ? [0, ...sizes] : []).map((size) => ({
        group: bytesName(size),
        size,
        inFlight: Math.max(Math.min(Math.floor(IN_FLIGHT_BYTES / Math.max(size, 1)), IN_FLIGHT), 1),
      })),
    ];
    const counts = only.includes('connections') ? connections : [];
    const groups = [...loads.map(({ group }) => group), ...counts.map(connectionsName)];
    const rows = groups.flatMap((group) =>
      CARRIERS.map((name) => ({
        group,
        name,
        against: name === LIMIT ? undefined : { group, name: LIMIT },
      })),
    );
    return {
      rows,
      tasks: [
        ...loads.flatMap(({ group, size, inFlight }) =>
          CARRIERS.map((name) =>
            taskOf({ group, name }, group, async () => {
              const setting = { warmUp: window / 3, window };
              return await measurePair(name, { size, inFlight }, setting);
            }),
          ),
        ),
        ...(counts.length === 0 ? [] : CARRIERS).map((name) => ({
          turn: 'connections',
          title: `connections, ${name}`,
          async run(tell: (what: string) => void) {
            const found = await measureConnections(name, [counts, clients, window], tell);
            return found.map((figures, at) => ({
              group: connectionsName(counts[at]!),
              name,
              figures,
            }));
          },
        })),
      ],
      figuresOf: () => FIGURES,
    };
  },
});

/** Measures calls that are spread over ever more connections of one server. */
function measureConnections(
  carrier: string,
  [counts, clients, window]: readonly [readonly number[], number, number],
  tell: (what: string) => void,
): Promise<Figures[]> {
  return withConnections(carrier, { clients }, async ({ open, call }) => {
    const points: Figures[] = [];
    for (const [at, count] of counts.entries()) {
      tell(String(count));
      await open(count - (counts[at - 1] ?? 0));
      points.push(await call(count, IN_FLIGHT, window));
    }
    return points;
  });
}

function connectionsName(count: number): string {
  return `${count.toLocaleString('en-US')} connections`;
}

function bytesName(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${bytes / 1_024} KiB` : `${bytes / 1_048_576} MiB`;
}
