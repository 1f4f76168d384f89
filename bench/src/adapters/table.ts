// The table of all that can be measured between a server's process and a client's, by the names in
// the reports. A process loads only the module that it needs. Other libraries are no dependencies
// of ours: bench/peers has its own package and lockfile outside the workspace and is installed on
// request. Its modules are plain JavaScript.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { unable } from '@trunkline/local-nats';
import type { CallScenario } from '../scenarios.ts';
import type { Adapter, Adapters } from './adapter.ts';

/** An adapter with the scenarios that its clients run. */
export interface Subject extends Pick<Adapter, 'serve'> {
  connect(address: string): Promise<any>;
  readonly scenarios: readonly CallScenario<any>[];
}

/** Modules by the adapters that they export. */
const OWN = byName({
  './limit-net.js': ['limit-net', 'limit-net-early', 'limit-net-credit', 'limit-tls'],
  './limit-ws.js': ['limit-ws'],
  './limit-inproc.js': ['limit-inproc'],
  './trunkline.js': ['tcp', 'tcp-consumer', 'tcp-fixed', 'ws', 'tls', 'noise'].map(ours),
  './trunkline-codec.js': ['trunkline-tcp-protobuf'],
  './trunkline-inmem.js': ['trunkline-inmem', 'trunkline-inmem-streams'],
  './trunkline-observed.js': ['tcp', 'inmem'].flatMap((carrier) =>
    ['interceptors', 'metrics', 'spans-1', 'spans-100'].map((way) => ours(`${carrier}-${way}`)),
  ),
});
const NATS = byName({ '../nats/bare.js': ['bare-nats'], '../nats/trunkline.js': [ours('nats')] });
const PEERS = byName({
  '../../peers/nats.mjs': ['nats'],
  '../../peers/birpc.mjs': ['birpc-ws'],
  '../../peers/protomux-rpc.mjs': ['protomux-rpc'],
  '../../peers/zeromq.mjs': ['zeromq'],
});
/** Libraries, each with its own scenarios, over the carrier in a row's name. */
const OVER_CARRIERS = new Map([
  ['bare socket', '../real/bare.js'],
  ['Trunkline', '../real/trunkline.js'],
  ['socket.io', '../../peers/real/socket-io.mjs'],
  ['tRPC', '../../peers/real/trpc.mjs'],
  ['grpc-js', '../../peers/real/grpc.mjs'],
  ['fan-out', '../fan-out/fan-out.js'],
]);
/** The packages of bench/peers whose versions the reports name, by the library that they belong to. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  nats: ['nats'],
  'birpc-ws': ['birpc', 'ws'],
  'protomux-rpc': ['protomux-rpc'],
  zeromq: ['zeromq'],
  'socket.io': ['socket.io'],
  tRPC: ['@trpc/server'],
  'grpc-js': ['@grpc/grpc-js'],
};

/** The adapters that carry calls, those of other libraries, and other libraries of `bench real`. */
export const ADAPTER_NAMES: readonly string[] = [...OWN.keys()];
export const PEER_NAMES: readonly string[] = [...PEERS.keys()];
export const REAL_PEERS = ['socket.io', 'tRPC', 'grpc-js'] as const;

/** Loads what a row such as 'trunkline-tcp' or 'Trunkline over TLS' measures. */
export async function subjectOf(row: string): Promise<Subject> {
  const [name, carrier] = row.split(' over ') as [string, string | undefined];
  if (carrier === undefined) {
    const { adapters } = await load<{ adapters: Adapters }>(
      (OWN.get(row) ?? NATS.get(row) ?? PEERS.get(row))!,
    );
    const { CALLS, STREAM } = await import('../scenarios.ts');
    return { ...adapters[row]!, scenarios: [...CALLS, STREAM] };
  }
  const { library, scenarios } = await load<{
    library: {
      serve(carrier: string): ReturnType<Adapter['serve']>;
      connect(carrier: string, address: string): Promise<unknown>;
    };
    scenarios?: Subject['scenarios'];
  }>(OVER_CARRIERS.get(name)!);
  return {
    serve: () => library.serve(carrier),
    connect: (address) => library.connect(carrier, address),
    scenarios: scenarios ?? (await import('../real/tasks.ts')).TASKS,
  };
}

function load<Module>(module: string): Promise<Module> {
  return import(new URL(module, import.meta.url).href) as Promise<Module>;
}

function byName(modules: Readonly<Record<string, readonly string[]>>): Map<string, string> {
  return new Map(
    Object.entries(modules).flatMap(([module, names]) =>
      names.map((name) => [name, module] as const),
    ),
  );
}

function ours(suffix: string): string {
  return `trunkline-${suffix}`;
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
  return names
    .flatMap((name) => PACKAGES[name] ?? [])
    .map((each) => `${each} ${dependencies[each]}`);
}
