// Other libraries that carry calls. They are no dependency of ours: bench/peers has a package and a lockfile of its own outside of the
// workspace, and is installed when it is asked for. Its modules are plain JavaScript, loaded at run time.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isInstalled as hasNatsServer } from '../gossip-processes/nats-server.ts';
import type { Adapter } from './adapter.ts';

interface Peer {
  /** In bench/peers, exporting `adapter`. */
  readonly module: string;
  /** Those whose versions tell what was measured. */
  readonly packages: readonly string[];
  /** Something besides its package must be there. */
  readonly isUsable?: () => boolean;
}

const PEERS: Readonly<Record<string, Peer>> = {
  'grpc-js': { module: 'grpc.mjs', packages: ['@grpc/grpc-js'] },
  nats: { module: 'nats.mjs', packages: ['nats'], isUsable: hasNatsServer },
  'birpc-ws': { module: 'birpc.mjs', packages: ['birpc', 'ws'] },
  'socket.io': { module: 'socket-io.mjs', packages: ['socket.io'] },
  'protomux-rpc': { module: 'protomux-rpc.mjs', packages: ['protomux-rpc'] },
  zeromq: { module: 'zeromq.mjs', packages: ['zeromq'] },
};

/** As the table names them. */
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

const FOLDER = new URL('../../peers/', import.meta.url);

/** Are the libraries there, as the lockfile has them? */
export function isInstalled(): boolean {
  const installed = new URL('node_modules/.package-lock.json', FOLDER);
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(new URL('package-lock.json', FOLDER)).mtimeMs;
}

/** Installs what is missing with npm; none of its scripts run. @throws Error where npm fails. */
export function install(): void {
  if (isInstalled()) return;
  console.error('Other libraries are missing: `npm ci --ignore-scripts` installs them into bench/peers, some 80 MB.');
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(FOLDER),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  throw new Error(`npm could not install bench/peers (${error?.message ?? `exit code ${status}`}); run \`npm ci --ignore-scripts\` there to see why`);
}

/** Can it be measured here, once it is installed? */
export function isUsable(name: string): boolean {
  return PEERS[name]!.isUsable?.() ?? true;
}

/** undefined for a name that is none. @throws Error where it is not installed. */
export async function loadPeer(name: string): Promise<Adapter | undefined> {
  const peer = PEERS[name];
  if (peer === undefined) return undefined;
  const { adapter } = (await import(new URL(peer.module, FOLDER).href)) as { adapter: Adapter };
  return adapter;
}

/** '@grpc/grpc-js 1.14.7': the libraries of an adapter, as package.json pins them; none of what is no peer. */
export function versionsOf(name: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', FOLDER), 'utf8')) as { dependencies: Record<string, string> };
  return (PEERS[name]?.packages ?? []).map((library) => `${library} ${dependencies[library]}`);
}
