// Workers that exist only in the test, which decides what they do.

import type { FromWorker, ToWorker } from '../messages.ts';
import { TAG } from '../messages.ts';
import type { Exit, Spawn, WorkerEvents } from '../worker-handle.ts';

/** A worker of the test. */
export class FakeWorker {
  readonly slot: number;
  readonly pid: number;
  readonly told: ToWorker[] = [];
  isRunning = true;
  readonly #events: WorkerEvents;

  constructor(slot: number, pid: number, events: WorkerEvents) {
    this.slot = slot;
    this.pid = pid;
    this.#events = events;
  }

  say(
    message: FromWorker extends infer M
      ? M extends unknown
        ? Omit<M, 'trunkline'>
        : never
      : never,
  ): void {
    this.#events.message({ ...TAG, ...message } as FromWorker);
  }

  join(): void {
    this.say({ type: 'joined', addresses: ['tcp://127.0.0.1:7000'] });
  }

  exit({ code = 1, signal = null }: Partial<Exit> = {}): void {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.#events.exited({ code: signal === null ? code : null, signal });
  }
}

/** Starts such workers. */
export class FakeWorkers {
  readonly all: FakeWorker[] = [];
  /** Called for each worker on the turn after its start. */
  started: (worker: FakeWorker) => void = (worker) => worker.join();

  readonly spawn: Spawn = (slot, events) => {
    const worker = new FakeWorker(slot, 1_000 + this.all.length, events);
    this.all.push(worker);
    void Promise.resolve().then(() => this.started(worker));
    return {
      pid: worker.pid,
      threadId: undefined,
      send: (message) => void worker.told.push(message),
      kill: () => worker.exit({ signal: 'SIGKILL' }),
    };
  };

  get running(): FakeWorker[] {
    return this.all.filter(({ isRunning }) => isRunning);
  }
}

/** Lets all promises that are ready settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
