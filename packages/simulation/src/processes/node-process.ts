// One node of a run: the process of its current life, which is killed, stopped and started again.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromNode, NodeTask, ToNode } from './messages.ts';

/** Receives what a node reports. */
export interface NodeEvents {
  message(message: FromNode): void;
  /** The process ended by itself or did not start. `errors` is the end of its error output. */
  died(how: string, errors: string): void;
}

/** The processes of one node, one after the other. */
export class NodeProcess {
  readonly name: string;
  readonly #task: Omit<NodeTask, 'life'>;
  readonly #events: NodeEvents;
  /** The process of the current life; undefined while the node is down. */
  #child: ChildProcess | undefined;
  /** The last process, which may still be ending. */
  #last: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #lives = 0;

  constructor(task: Omit<NodeTask, 'life'>, events: NodeEvents) {
    this.name = task.name;
    this.#task = task;
    this.#events = events;
  }

  /** The number of the current or last life. */
  get life(): number {
    return this.#lives;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the next life. */
  start(): void {
    if (this.#child !== undefined) return;
    const task: NodeTask = { ...this.#task, life: ++this.#lives };
    const child = fork(CHILD, [JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
    });
    this.#child = this.#last = child;
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-MOST_ERRORS);
    });
    child.on('message', (message: FromNode) => {
      if (this.#child === child) this.#events.message(message);
    });
    this.#exited = new Promise((resolve) => {
      const end = (how: string) => {
        resolve();
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#events.died(how, errors);
      };
      child.on('exit', (code, signal) => end(signal ?? `code ${code}`));
      // A process that the system did not start has no 'exit'. Otherwise a message came too late.
      child.on('error', (error) => void (child.pid === undefined && end(error.message)));
    });
  }

  /** Ends the process at once; its memory is lost. */
  kill(): void {
    this.#child = undefined;
    this.#last?.kill('SIGKILL');
  }

  /** Freezes the process until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  send(message: ToNode): void {
    if (this.#child?.connected === true) this.#child.send(message, () => {});
  }

  /**
   * Asks the process to stop, and ignores its further messages. Resolves when the last process has
   * ended. Nothing limits the time: call `kill` if it takes too long.
   */
  async stop(): Promise<void> {
    const child = this.#child;
    this.send({ type: 'stop' });
    this.#child = undefined;
    child?.kill('SIGCONT');
    await this.#exited;
  }

  /** Resolves when the last process has ended. */
  get exited(): Promise<void> {
    return this.#exited;
  }
}

const CHILD = fileURLToPath(new URL('./node-main.js', import.meta.url));
/** Maximum number of characters of a node's error output that are kept. */
const MOST_ERRORS = 4_096;
