// Other libraries that carry calls. They are no dependencies of ours: bench/peers has its own
// package and lockfile outside the workspace and is installed on request. Its modules are plain
// JavaScript, loaded at run time.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { unable } from '@trunkline/local-nats';
import type { Adapter } from './adapter.ts';

interface Peer {
  /** The path of a module in bench/peers that exports `adapter`. */
  readonly module: string;
  /** The packages whose versions the report names. */
  readonly packages: readonly string[];
  /**
   * Tells whether everything else that the library needs, besides its package, is on this machine.
   */
  readonly isUsable?: () => boolean;
}

const PEERS: Readonly<Record<string, Peer>> = {
  'grpc-js': { module: 'grpc.mjs', packages: ['@grpc/grpc-js'] },
  nats: { module: 'nats.mjs', packages: ['nats'], isUsable: () => unable() === undefined },
  'birpc-ws': { module: 'birpc.mjs', packages: ['birpc', 'ws'] },
  'socket.io': { module: 'socket-io.mjs', packages: ['socket.io'] },
  'protomux-rpc': { module: 'protomux-rpc.mjs', packages: ['protomux-rpc'] },
  zeromq: { module: 'zeromq.mjs', packages: ['zeromq'] },
};

/** The names used in the tables. */
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

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
  return PEERS[name]!.isUsable?.() ?? true;
}

/**
 * Loads the adapter of another library; undefined if no library has this name.
 * @throws Error if it is not installed.
 */
export async function loadPeer(name: string): Promise<Adapter | undefined> {
  const peer = PEERS[name];
  if (peer === undefined) return undefined;
  const { adapter } = (await import(new URL(peer.module, FOLDER).href)) as { adapter: Adapter };
  return adapter;
}

/** Returns the libraries of an adapter with their versions; none if it is not one of these. */
export function versionsOf(name: string): string[] {
  return (PEERS[name]?.packages ?? []).map(withVersion);
}

/** Returns a library with the version that package.json pins, such as '@grpc/grpc-js 1.14.7'. */
export function withVersion(library: string): string {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', FOLDER), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return `${library} ${dependencies[library]}`;
}
