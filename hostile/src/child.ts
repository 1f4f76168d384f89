// A process of a run, as seen by its parent.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Failed } from './parent-channel.ts';

export interface ChildOptions {
  /** A list of cores for `taskset -c`; undefined for any core. */
  readonly core?: string | undefined;
  /** Runs the process only when nothing else wants its core. */
  readonly yields?: boolean | undefined;
  /** Flags for Node and V8. */
  readonly flags?: readonly string[] | undefined;
  /** Variables that are added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export class Child<Command extends object, Report extends object> {
  readonly #name: string;
  readonly #process: ChildProcess;

  /** @param name the name of the script beside this one, without its extension. */
  constructor(name: string, { core, yields, flags = [], env }: ChildOptions = {}) {
    this.#name = name;
    const path = fileURLToPath(new URL(`${name}.js`, import.meta.url));
    const execArgv = [...process.execArgv, ...flags];
    const pinned =
      core === undefined
        ? { execArgv }
        : { execPath: 'taskset', execArgv: ['-c', core, process.execPath, ...execArgv] };
    this.#process = fork(path, {
      serialization: 'advanced',
      env: { ...process.env, ...env },
      ...pinned,
    });
    if (yields === true) setPriority(this.#process.pid!, 19);
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /**
   * Sends an command and waits for the report.
   * @throws Error if the command fails or the process has ended.
   */
  async ask(command: Command): Promise<Report> {
    if (!this.isAlive) throw new Error(`${this.#name} is dead`);
    const controller = new AbortController();
    const { signal } = controller;
    const message = once(this.#process, 'message', { signal });
    const exit = once(this.#process, 'exit', { signal });
    exit.catch(() => {});
    this.#process.send(command);
    try {
      const first = await Promise.race([
        message,
        exit.then(([code, killed]) => ({ code: killed ?? `exit code ${code}` })),
      ]);
      if (!Array.isArray(first)) throw new Error(`${this.#name} ended (${first.code})`);
      const [report] = first as [Report & Partial<Failed>];
      if (report.error !== undefined) throw new Error(`${this.#name}: ${report.error}`);
      return report;
    } finally {
      controller.abort();
      message.catch(() => {});
    }
  }

  /**
   * Disconnects from the process and waits until it has ended by itself; returns false if it had to
   * be killed.
   */
  async close(): Promise<boolean> {
    if (!this.isAlive) return false;
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    const tooLong = setTimeout(() => this.kill(), LONGEST_END);
    const [code] = await exit;
    clearTimeout(tooLong);
    return code === 0;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** The time in milliseconds that a process may take to end. */
const LONGEST_END = 10_000;
