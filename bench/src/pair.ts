// A server and a client of one adapter, each in a process and on a core of its own.

import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './child.ts';
import type { Figures } from './stopwatch.ts';

export class Pair {
  readonly adapter: string;
  readonly #server: ChildProcess;
  readonly #client: ChildProcess;

  private constructor(adapter: string, server: ChildProcess, client: ChildProcess) {
    this.adapter = adapter;
    this.#server = server;
    this.#client = client;
  }

  static async start(adapter: string): Promise<Pair> {
    const [serverCore, clientCore] = cores;
    const server = start(serverCore, ['server', adapter]);
    try {
      const { address } = await next(server);
      const client = start(clientCore, ['client', adapter, address!, String(server.pid)]);
      await next(client);
      return new Pair(adapter, server, client);
    } catch (error) {
      server.kill();
      throw error;
    }
  }

  /** Null where the scenario doesn't suit the adapter. */
  async measure(order: Order): Promise<Figures | null> {
    this.#client.send(order);
    return (await next(this.#client)).figures!;
  }

  /** Lets go of both, and waits until nothing keeps them alive. */
  async close(): Promise<void> {
    for (const child of [this.#client, this.#server]) {
      const exit = once(child, 'exit');
      child.disconnect();
      const tooLong = setTimeout(() => child.kill(), LONGEST_END);
      const [code, signal] = await exit;
      clearTimeout(tooLong);
      if (code !== 0) throw new Error(`a process of ${this.adapter} did not end by itself after its transport was closed (${signal ?? `exit code ${code}`})`);
    }
  }

  /** Ends both at once, after a failure. */
  kill(): void {
    this.#client.kill();
    this.#server.kill();
  }
}

/** Can each end have a core of its own? */
export function pinned(): boolean {
  return cores[0] !== undefined;
}

function start(core: string | undefined, args: string[]): ChildProcess {
  const script = fileURLToPath(new URL('./child.js', import.meta.url));
  const node = [process.execPath, ...process.execArgv];
  if (core === undefined) return fork(script, args);
  return fork(script, args, { execPath: 'taskset', execArgv: ['-c', core, ...node] });
}

/** The next word of a child. @throws Error for one that fails or ends instead. */
async function next(child: ChildProcess): Promise<Report> {
  const controller = new AbortController();
  const { signal } = controller;
  try {
    const [report] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code, killed]) => {
        throw new Error(`a process of the benchmark ended too early (${killed ?? `exit code ${code}`})`);
      }),
    ])) as [Report];
    if (report.error !== undefined) throw new Error(report.error);
    return report;
  } finally {
    controller.abort();
  }
}

/** Two cores that this process may use, where `taskset` can pin to them; else none. */
const cores: readonly (string | undefined)[] = findCores();

function findCores(): string[] {
  let allowed: string[];
  try {
    const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    allowed = list.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
    });
  } catch {
    return [];
  }
  const both = allowed.slice(0, 2);
  return both.length === 2 && spawnSync('taskset', ['-c', both.join(','), 'true']).status === 0 ? both : [];
}

/** Milliseconds that a closed process may take to end. */
const LONGEST_END = 5_000;
