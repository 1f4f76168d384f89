// The table of all that can be measured between a server's process and a client's, by the names in
// the reports. A process loads only the module that it needs. Other libraries are no dependencies
// of ours: bench/peers has its own package and lockfile outside the workspace and is installed on
// request. Its modules are plain JavaScript.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { unable } from '@trunkline/local-nats';
import { named } from '../named.ts';
import type { Carrier, Library } from '../real/library.ts';
import { CALLS as CALL_SCENARIOS, type CallScenario, STREAM } from '../scenarios.ts';
import type { Adapter, Adapters } from './adapter.ts';

/** An adapter of calls: a column of the tables. */
export interface Column {
  readonly title: string;
  readonly adapter: string;
  readonly module: string;
  /** The scenarios that measure it unless adapters are named. */
  readonly scenarios: readonly string[];
  /** The title of the column that its ratios refer to. */
  readonly against?: string | undefined;
  /** The same in scenarios of large messages; by default as in all others. */
  readonly againstLarge?: string;
  /** The packages of another library, whose versions the reports name. */
  readonly packages?: readonly string[];
}

/** The columns of a module: each with its scenarios and the column that it is compared with. */
function from(
  module: string,
  columns: Readonly<Record<string, [scenarios?: string, against?: string, more?: Partial<Column>]>>,
): Column[] {
  return Object.entries(columns).map(([title, [scenarios = '', against, more]]) => ({
    title,
    adapter: title,
    module,
    scenarios: scenarios.split(' '),
    against,
    ...more,
  }));
}

const CALLS = 's1 s2 s3 s4 s5 s6';
const LIMIT = 'limit-net';
/** Large messages are compared with a limit that also lets small messages pass. */
const CREDIT = { againstLarge: 'limit-net-credit' };
const LARGE = ['s4', 's5'];

const OWN = [
  ...from('./limit-net.js', {
    [LIMIT]: [`${CALLS} s7 s8`],
    // A second measurement, whose ratio to the first shows the noise.
    'limit-net again': [`${CALLS} s7 s8`, LIMIT, { adapter: LIMIT }],
    'limit-net-early': ['s2 s3', LIMIT],
    'limit-net-credit': ['s4 s5 s6', LIMIT],
  }),
  ...from('./trunkline.js', {
    'trunkline-tcp': [`${CALLS} s7 s8`, LIMIT, CREDIT],
    'trunkline-tcp-consumer': ['s2', LIMIT],
    'trunkline-tcp-fixed': ['s5 s6', LIMIT, CREDIT],
  }),
  ...from('./trunkline-codec.js', { 'trunkline-tcp-protobuf': ['s2', 'trunkline-tcp'] }),
  ...from('./limit-ws.js', { 'limit-ws': ['s1 s2 s3 s5 s6', LIMIT] }),
  ...from('./trunkline.js', { 'trunkline-ws': ['s1 s2 s3 s5 s6', 'limit-ws'] }),
  ...from('./limit-inproc.js', { 'limit-inproc': ['s2', LIMIT] }),
  ...from('./trunkline-inmem.js', {
    'trunkline-inmem': ['s2', 'limit-inproc'],
    'trunkline-inmem-streams': ['s2', 'limit-inproc'],
  }),
  // The secure adapters are measured only if they are named.
  ...from('./limit-net.js', { 'limit-tls': ['', LIMIT] }),
  ...from('./trunkline.js', {
    'trunkline-tls': ['', 'limit-tls'],
    'trunkline-noise': ['', 'trunkline-tls'],
  }),
];

const PEERS = [
  ...from('../../peers/nats.mjs', { nats: [CALLS, LIMIT, { packages: ['nats'] }] }),
  ...from('../../peers/birpc.mjs', { 'birpc-ws': [CALLS, LIMIT, { packages: ['birpc', 'ws'] }] }),
  ...from('../../peers/protomux-rpc.mjs', {
    'protomux-rpc': [CALLS, LIMIT, { packages: ['protomux-rpc'] }],
  }),
  ...from('../../peers/zeromq.mjs', { zeromq: [CALLS, LIMIT, { packages: ['zeromq'] }] }),
];

/** Adapters that only other benchmarks measure. */
const OTHERS = [
  ...from('../nats/bare.js', { 'bare-nats': [] }),
  ...from('../nats/trunkline.js', { 'trunkline-nats': [] }),
];
/** The ways to be observed, which follow the name of a Trunkline adapter. */
const OBSERVED = /^trunkline-(tcp|inmem)-(interceptors|metrics|spans)/;

/** Libraries with scenarios of their own, over the carrier in a row's name. */
const LIBRARIES: Readonly<Record<string, { module: string; packages?: readonly string[] }>> = {
  'bare socket': { module: '../real/bare.js' },
  Trunkline: { module: '../real/trunkline.js' },
  'socket.io': { module: '../../peers/real/socket-io.mjs', packages: ['socket.io'] },
  tRPC: { module: '../../peers/real/trpc.mjs', packages: ['@trpc/server'] },
  'grpc-js': { module: '../../peers/real/grpc.mjs', packages: ['@grpc/grpc-js'] },
  'fan-out': { module: '../fan-out/fan-out.js' },
};

/** The adapters that carry calls, those of other libraries, and other libraries of `bench real`. */
export const ADAPTER_NAMES = [...new Set(OWN.map(({ adapter }) => adapter))];
export const PEER_NAMES = PEERS.map(({ adapter }) => adapter);
export const REAL_PEERS = ['socket.io', 'tRPC', 'grpc-js'] as const;

/** Returns the title of the column that a column is compared with in a scenario. */
export function againstOf(column: Column, scenario: string): string | undefined {
  return (LARGE.includes(scenario) && column.againstLarge) || column.against;
}

/**
 * Returns the columns of a scenario and those that they are compared with. Without names, returns
 * the columns meant for the scenario.
 * @param peers the other libraries that are measured too.
 * @throws TypeError if no column has a given name.
 */
export function columnsOf(
  { name: scenario, suits }: { readonly name: string; suits(adapter: string): boolean },
  names: readonly string[],
  peers: readonly string[] = [],
): Column[] {
  const all = [...OWN, ...PEERS.filter(({ adapter }) => peers.includes(adapter))];
  const chosen = named('adapter', 'adapter', all, ({ adapter }) => adapter, names).filter(
    ({ adapter, scenarios }) =>
      suits(adapter) && (names.length > 0 || scenarios.includes(scenario)),
  );
  const others = chosen.map((column) => againstOf(column, scenario));
  return all.filter((column) => chosen.includes(column) || others.includes(column.title));
}

/** An adapter with the scenarios that its clients run. */
export interface Subject extends Pick<Adapter, 'serve'> {
  connect(address: string): Promise<any>;
  readonly scenarios: readonly CallScenario<any>[];
}

/** Loads what a row such as 'trunkline-tcp' or 'Trunkline over TLS' measures. */
export async function subjectOf(row: string): Promise<Subject> {
  const [name, carrier] = row.split(' over ') as [string, Carrier | undefined];
  if (carrier === undefined) {
    const { module = OBSERVED.test(row) ? './trunkline-observed.js' : '' } =
      [...OWN, ...PEERS, ...OTHERS].find(({ adapter }) => adapter === row) ?? {};
    const { adapters } = await load<{ adapters: Adapters }>(module);
    return { ...adapters[row]!, scenarios: [...CALL_SCENARIOS, STREAM] };
  }
  const { library, scenarios } = await load<{
    library: Library;
    scenarios?: Subject['scenarios'];
  }>(LIBRARIES[name]!.module);
  return {
    serve: () => library.serve(carrier),
    connect: (address) => library.connect(carrier, address),
    scenarios: scenarios ?? (await import('../real/tasks.ts')).TASKS,
  };
}

function load<Module>(module: string): Promise<Module> {
  return import(new URL(module, import.meta.url).href) as Promise<Module>;
}

const FOLDER = new URL('../../peers/', import.meta.url);

/** Tells whether the libraries are installed as the lockfile has them. */
export function isInstalled(): boolean {
  const installed = new URL('node_modules/.package-lock.json', FOLDER);
  return (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(new URL('package-lock.json', FOLDER)).mtimeMs
  );
}

/**
 * Installs missing libraries with npm, without running their scripts.
 * @throws Error if npm fails.
 */
export function install(): void {
  if (isInstalled()) return;
  console.error(
    'Other libraries are missing: `npm ci --ignore-scripts` installs them into bench/peers, some 80 MB.',
  );
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      cwd: fileURLToPath(FOLDER),
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    },
  );
  if (status === 0) return;
  throw new Error(
    `npm could not install bench/peers (${error?.message ?? `exit code ${status}`}); run \`npm ci --ignore-scripts\` there to see why`,
  );
}

/** Tells whether an installed library can be measured on this machine. */
export function isUsable(name: string): boolean {
  return name !== 'nats' || unable() === undefined;
}

/** Returns the packages of other libraries with their versions, such as '@grpc/grpc-js 1.14.7'. */
export function versionsOf(names: readonly string[]): string[] {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', FOLDER), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const packagesOf = (name: string) =>
    PEERS.find(({ adapter }) => adapter === name)?.packages ?? LIBRARIES[name]?.packages ?? [];
  return names.flatMap(packagesOf).map((each) => `${each} ${dependencies[each]}`);
}
