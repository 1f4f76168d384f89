// A participant at a terminal: a chat process, its keyboard and its screen.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

export class Person {
  /** Everything that was printed, including errors. */
  readonly lines: string[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  /** Emits 'change' with each line and at the end of the process. */
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #closed: Promise<unknown[]>;
  #isOver = false;

  /** Starts the process, which is killed after the test. */
  constructor(t: Pick<ExecutionContext, 'teardown'>, args: readonly string[]) {
    this.#child = spawn(process.execPath, [main, ...args]);
    this.#closed = once(this.#child, 'close');
    for (const input of [this.#child.stdout, this.#child.stderr])
      createInterface({ input }).on('line', (text) => {
        this.lines.push(text);
        this.#events.emit('change');
      });
    this.#child.on('close', () => {
      this.#isOver = true;
      this.#events.emit('change');
    });
    this.#child.stdin.on('error', () => {});
    t.teardown(() => this.kill());
  }

  says(text: string): void {
    this.#child.stdin.write(`${text}\n`);
  }

  /**
   * Waits for a line, among those from number `from` on. Rejects if the process ends without one.
   */
  async sees(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (let i = from; ; i++) {
      while (i >= this.lines.length) {
        if (this.#isOver) throw new Error(`no line like ${pattern} in\n${this.lines.join('\n')}`);
        await once(this.#events, 'change');
      }
      const match = pattern.exec(this.lines[i]!);
      if (match !== null) return match;
    }
  }

  /** Kills the process without warning, like a power cut. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Sends Ctrl-C. Resolves with the exit code. */
  async leaves(): Promise<unknown> {
    this.#child.kill('SIGINT');
    return this.ends();
  }

  /** Waits for the end of the process. Resolves with the exit code. */
  async ends(): Promise<unknown> {
    return (await this.#closed)[0];
  }
}
