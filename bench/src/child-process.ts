// A process of a measurement, as seen by its parent: it starts on a given core, runs one
// command at a time, and ends.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Failed } from './commands.ts';

export interface StartOptions {
  /** The name used in errors. */
  readonly name: string;
  /** The path of the script, relative to `bench/dist`, or its URL. */
  readonly script: string;
  readonly args?: readonly string[];
  /** A list of cores for `taskset -c`; undefined for any core. */
  readonly core?: string | undefined;
  /** The network namespace that the process runs in; undefined for that of this process. */
  readonly network?: string | undefined;
  /** Receives the process once it has started, as `withChildren` passes it. */
  readonly started?: { kill(): void }[];
}

/** Kills the processes that `work` has added to the list that it is passed. */
export async function withChildren<T>(
  work: (started: { kill(): void }[]) => Promise<T>,
): Promise<T> {
  const started: { kill(): void }[] = [];
  try {
    return await work(started);
  } finally {
    for (const child of started) child.kill();
  }
}

export class Child<Command extends object, Report extends object> {
  readonly #name: string;
  readonly #process: ChildProcess;

  private constructor(name: string, process: ChildProcess) {
    this.#name = name;
    this.#process = process;
  }

  /** Starts the process and returns it with its first report. */
  static async start<Command extends object, Report extends object>(
    options: StartOptions,
  ): Promise<{ child: Child<Command, Report>; report: Report }> {
    const child = new Child<Command, Report>(options.name, launch(options));
    options.started?.push(child);
    try {
      return { child, report: await child.#next() };
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /**
   * Sends a command and waits for the report.
   * @throws Error if the command fails or the process ends.
   */
  run(command: Command): Promise<Report> {
    this.#process.send(command);
    return this.#next();
  }

  /** Disconnects from the process and waits until nothing keeps it alive. */
  async close(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    const tooLong = setTimeout(() => this.#process.kill(), LONGEST_END);
    const [code, signal] = await exit;
    clearTimeout(tooLong);
    if (code !== 0)
      throw new Error(
        `${this.#name} did not end by itself after it was disconnected (${signal ?? `exit code ${code}`})`,
      );
  }

  /** Kills the process at once. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async #next(): Promise<Report> {
    const controller = new AbortController();
    const { signal } = controller;
    try {
      const [report] = (await Promise.race([
        once(this.#process, 'message', { signal }),
        once(this.#process, 'exit', { signal }).then(([code, killed]) => {
          throw new Error(`${this.#name} ended too early (${killed ?? `exit code ${code}`})`);
        }),
      ])) as [Report & Partial<Failed>];
      if (report.error !== undefined) throw new Error(`${this.#name}: ${report.error}`);
      return report;
    } finally {
      controller.abort();
    }
  }
}

function launch({ script, args = [], core, network }: StartOptions): ChildProcess {
  const pin = core === undefined ? [] : ['taskset', '-c', core];
  const within = network === undefined ? pin : ['ip', 'netns', 'exec', network];
  const [execPath, ...execArgv] = [...within, process.execPath, ...process.execArgv];
  return fork(fileURLToPath(new URL(script, import.meta.url)), args, { env, execPath, execArgv });
}

/**
 * `ws` runs as its own package does. It would otherwise find the compiled `bufferutil`, which
 * another package of this workspace brings for its tests.
 */
const env = { ...process.env, WS_NO_BUFFER_UTIL: '1' };
/** The time in milliseconds that a process may take to end. */
const LONGEST_END = 5_000;
