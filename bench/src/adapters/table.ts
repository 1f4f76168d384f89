// The table of all that can be measured between a server's process and a client's, by the names in
// the reports. A process loads only the module that it needs. Other libraries are no dependencies
// of ours: bench/peers has its own package and lockfile outside the workspace and is installed on
// request. Its modules are plain JavaScript.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
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
}

type Row = [module: string, scenarios?: string, against?: string, more?: Partial<Column>];

function columns(rows: Readonly<Record<string, Row>>): Column[] {
  return Object.entries(rows).map(([title, [module, scenarios = '', against, more]]) => ({
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

const OWN = columns({
  [LIMIT]: ['./limit-net.js', `${CALLS} s7 s8`],
  // A second measurement, whose ratio to the first shows the noise.
  'limit-net again': ['./limit-net.js', `${CALLS} s7 s8`, LIMIT, { adapter: LIMIT }],
  'limit-net-early': ['./limit-net.js', 's2 s3', LIMIT],
  'limit-net-credit': ['./limit-net.js', 's4 s5 s6', LIMIT],
  'trunkline-tcp': ['./trunkline.js', `${CALLS} s7 s8`, LIMIT, CREDIT],
  'trunkline-tcp-consumer': ['./trunkline.js', 's2', LIMIT],
  'trunkline-tcp-fixed': ['./trunkline.js', 's5 s6', LIMIT, CREDIT],
  'trunkline-tcp-protobuf': ['./trunkline-codec.js', 's2', 'trunkline-tcp'],
  'limit-ws': ['./limit-ws.js', 's1 s2 s3 s5 s6', LIMIT],
  'trunkline-ws': ['./trunkline.js', 's1 s2 s3 s5 s6', 'limit-ws'],
  'limit-inproc': ['./limit-inproc.js', 's2', LIMIT],
  'trunkline-inmem': ['./trunkline-inmem.js', 's2', 'limit-inproc'],
  'trunkline-inmem-streams': ['./trunkline-inmem.js', 's2', 'limit-inproc'],
  // The secure adapters are measured only if they are named.
  'limit-tls': ['./limit-net.js', '', LIMIT],
  'trunkline-tls': ['./trunkline.js', '', 'limit-tls'],
  'trunkline-noise': ['./trunkline.js', '', 'trunkline-tls'],
});
/** The adapters that carry calls, those of other libraries, and other libraries of `bench real`. */
export const ADAPTER_NAMES = [...new Set(OWN.map(({ adapter }) => adapter))];
export const PEER_NAMES = ['nats', 'birpc-ws', 'protomux-rpc', 'zeromq'];
export const REAL_PEERS = ['socket.io', 'tRPC', 'grpc-js'] as const;

const PEERS = PEER_NAMES.flatMap((name) =>
  columns({ [name]: [`../../peers/${name}.mjs`, CALLS, LIMIT] }),
);
/** Adapters that only other benchmarks measure. */
const OTHERS = columns({ 'bare-nats': ['./nats.js'], 'trunkline-nats': ['./nats.js'] });

/** Libraries with scenarios of their own, over the carrier in a row's name. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'bare socket': '../real/bare.js',
  Trunkline: '../real/trunkline.js',
  'socket.io': '../../peers/real/socket-io.mjs',
  tRPC: '../../peers/real/trpc.mjs',
  'grpc-js': '../../peers/real/grpc.mjs',
  'fan-out': '../fan-out/fan-out.js',
};
/** The packages of a library that is not called after its package. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'birpc-ws': ['birpc', 'ws'],
  tRPC: ['@trpc/server'],
  'grpc-js': ['@grpc/grpc-js'],
};

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
    const column = [...OWN, ...PEERS, ...OTHERS].find(({ adapter }) => adapter === row);
    // Every other name is a way to observe Trunkline's calls.
    const module = await import(column?.module ?? './trunkline-observed.js');
    return { ...(module.adapters as Adapters)[row]!, scenarios: [...CALL_SCENARIOS, STREAM] };
  }
  const module: { library: Library; scenarios?: Subject['scenarios'] } = await import(
    LIBRARIES[name]!
  );
  return {
    serve: () => module.library.serve(carrier),
    connect: (address) => module.library.connect(carrier, address),
    scenarios: module.scenarios ?? (await import('../real/tasks.ts')).TASKS,
  };
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
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/** Returns the packages of other libraries with their versions, such as '@grpc/grpc-js 1.14.7'. */
export function versionsOf(names: readonly string[]): string[] {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', FOLDER), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const packages = names.flatMap((name) => PACKAGES[name] ?? [name]);
  return packages.map((each) => `${each} ${dependencies[each]}`);
}
