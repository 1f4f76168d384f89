// A process of a measurement, as seen by its parent: it starts on a given core, runs one
// command at a time, and ends.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, Commands, Report } from './commands.ts';

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
}

/** Starts a process, and returns it when it is ready. */
export type Start = <C extends Commands>(options: StartOptions) => Promise<Child<C>>;

/** Kills the processes that `work` has started when it is done. */
export async function withChildren<T>(work: (start: Start) => Promise<T>): Promise<T> {
  const started: { kill(): void }[] = [];
  try {
    return await work(async (options) => {
      const child = await Child.start<any>(options);
      started.push(child);
      return child;
    });
  } finally {
    for (const child of started) child.kill();
  }
}

/** A process that offers the commands `C`. */
export class Child<C extends Commands> {
  readonly #name: string;
  readonly #process: ChildProcess;

  private constructor({ name, script, args = [], core, network }: StartOptions) {
    this.#name = name;
    const pin = core === undefined ? [] : ['taskset', '-c', core];
    const within = network === undefined ? pin : ['ip', 'netns', 'exec', network];
    const [execPath, ...execArgv] = [...within, process.execPath, ...process.execArgv];
    const file = fileURLToPath(new URL(script, import.meta.url));
    // Keeps numbers that JSON cannot write, such as NaN.
    const serialization = 'advanced';
    this.#process = fork(file, args, { env: ENV, execPath, execArgv, serialization });
  }

  static async start<C extends Commands>(options: StartOptions): Promise<Child<C>> {
    const child = new Child<C>(options);
    try {
      await child.#next();
      return child;
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /**
   * Runs a command of the process, and returns its result.
   * @throws Error if the command fails or the process ends.
   */
  async call<Name extends keyof C & string>(
    name: Name,
    ...args: Parameters<C[Name]>
  ): Promise<Awaited<ReturnType<C[Name]>>> {
    this.#process.send({ name, args } satisfies Command);
    return (await this.#next()).result;
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
      ])) as [Report];
      if (report.error !== undefined) throw new Error(`${this.#name}: ${report.error}`);
      return report;
    } finally {
      controller.abort();
    }
  }
}

/**
 * `ws` runs as its own package does. It would otherwise find the compiled `bufferutil`, which
 * another package of this workspace brings for its tests.
 */
const ENV = { ...process.env, WS_NO_BUFFER_UTIL: '1' };
/** The time in milliseconds that a process may take to end. */
const LONGEST_END = 5_000;
