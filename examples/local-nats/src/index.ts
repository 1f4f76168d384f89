// Starts nats-server as child processes, alone or as a cluster, on free ports.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';

/** The advice for machines where `unable` returns a reason. */
export const INSTALL = 'apt-get install nats-server';

/** Returns the reason why no NATS server can be started on this machine; undefined if one can. */
export function unable(): string | undefined {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `nats-server is missing (${INSTALL})`;
  }
}

export interface NatsServerOptions {
  /** Text for the configuration file: users, TLS, limits. */
  readonly config?: string | undefined;
  /** Also listens for WebSocket clients, without TLS. */
  readonly webSocket?: boolean | undefined;
  /** The port for clients. Default: a free one. */
  readonly port?: number | undefined;
  /** Makes the server a member of a cluster: the addresses of other members' routes. */
  readonly routes?: readonly string[] | undefined;
}

export interface NatsServer {
  /** The address for clients, '127.0.0.1:port'. */
  readonly address: string;
  readonly port: number;
  /** The address for the routes of a cluster, if it is a member of one. */
  readonly route: string | undefined;
  /** The URL for WebSocket clients, if it was asked for. */
  readonly webSocket: string | undefined;
  readonly process: ChildProcess;
  /**
   * Replaces the text of the option `config`, and resolves once the server has read it (SIGHUP).
   */
  reload(config: string): Promise<void>;
  /**
   * Starts lame duck mode (SIGUSR2): the server takes no new clients, tells those that it has, and
   * later disconnects them and ends. Resolves when its process has ended.
   */
  lameDuck(): Promise<void>;
  /** Ends the server at once, as a crash does. Idempotent. */
  kill(): Promise<void>;
}

/** The servers of this process; one listener ends them all. */
const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Starts a server; resolves once it accepts clients. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  for (;;) {
    const port = options.port ?? randomInt(...PORTS);
    try {
      return await startAt(port, options);
    } catch (error) {
      if (options.port !== undefined || !`${error}`.includes('address already in use')) throw error;
    }
  }
}

/**
 * The ports of servers. The system gives these ports to no outgoing connection, so a server that is
 * started again finds its port free.
 */
const PORTS = [10_000, 32_000] as const;

async function startAt(port: number, options: NatsServerOptions): Promise<NatsServer> {
  const { config = '', webSocket = false, routes } = options;
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-nats-'));
  const file = join(folder, 'server.conf');
  const others = routes?.map((route) => `"nats://${route}"`).join(', ');
  const listeners = [
    `listen: "127.0.0.1:${port}"`,
    webSocket ? 'websocket { listen: "127.0.0.1:-1", no_tls: true }' : '',
    routes && `cluster { name: test, listen: "127.0.0.1:-1", routes: [${others}] }`,
  ];
  const configure = (text: string) => writeFileSync(file, [...listeners, text].join('\n'));
  configure(config);
  const child = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  // The lines are read to the end, or the server would wait for a reader of its log.
  const lines = createInterface({ input: child.stderr! });
  if (running.size === 0) process.once('exit', killAll);
  running.add(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    running.delete(child);
    if (running.size === 0) process.off('exit', killAll);
    rmSync(folder, { recursive: true, force: true });
  };
  const addresses = await listening(child, lines, {
    kinds: { client: true, websocket: webSocket, route: routes !== undefined },
    routes: routes?.length ?? 0,
  });
  if (typeof addresses === 'string') {
    await kill();
    throw new Error(`nats-server has ended:\n${addresses}`);
  }
  const address = addresses.get('client')!;
  return {
    address,
    port: Number(address.split(':').at(-1)),
    route: addresses.get('route'),
    webSocket: webSocket ? `ws://${addresses.get('websocket')}` : undefined,
    process: child,
    reload: (text) =>
      new Promise((resolve, reject) => {
        const read = (line: string) => {
          if (!/Reloaded server configuration|Failed to reload/.test(line)) return;
          lines.off('line', read);
          if (line.includes('Failed')) reject(new Error(line));
          else resolve();
        };
        lines.on('line', read);
        configure(text);
        child.kill('SIGHUP');
      }),
    lameDuck: () => {
      child.kill('SIGUSR2');
      return exited;
    },
    kill,
  };
}

/**
 * Reads the log of a server until it listens for each kind of client and has its routes. Resolves
 * to the addresses by kind, or to the log if the server has ended.
 */
function listening(
  child: ChildProcess,
  lines: Interface,
  wanted: { readonly kinds: Readonly<Record<string, boolean>>; readonly routes: number },
): Promise<ReadonlyMap<string, string> | string> {
  const log: string[] = [];
  const found = new Map<string, string>();
  const isThere = ([kind, isWanted]: [string, boolean]) => !isWanted || found.has(kind);
  let routes = 0;
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      if (log.length < 100) log.push(line);
      const [, kind, address] = LISTENING.exec(line) ?? [];
      if (kind !== undefined) found.set(kind, address!);
      if (line.includes('Route connection created')) routes++;
      if (routes >= wanted.routes && Object.entries(wanted.kinds).every(isThere)) resolve(found);
    });
    lines.once('close', () => resolve(log.join('\n')));
    child.once('error', (error) => resolve(error.message));
  });
}

const LISTENING =
  /Listening for (client|websocket|route) (?:connections|clients) on (?:ws:\/\/)?(\S+)/;

/** Starts a cluster of servers; resolves once each is connected to all others. */
export async function startNatsCluster(
  size: number,
  options: NatsServerOptions = {},
): Promise<NatsServer[]> {
  const servers: NatsServer[] = [];
  try {
    for (let i = 0; i < size; i++) {
      const routes = servers.map(({ route }) => route!);
      servers.push(await startNatsServer({ ...options, routes }));
    }
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.kill()));
    throw error;
  }
}
