// Access to the runtime for searches: threads and processes, the environment, and a real clock with
// timers. Simulations must use none of these.

import { describeError } from '../kernel/event-loop.ts';

/** A worker, which is a thread or a child process, as its owner sees it. */
export interface WorkerHandle {
  post(message: unknown): void;
  onMessage(listener: (message: any) => void): void;
  /**
   * Calls the listener with a sentence when the worker has ended, also after `terminate`; a thread
   * that ends with an error calls it twice.
   */
  onEnd(listener: (what: string) => void): void;
  /** Resolves when the worker has ended; a thread that waits in native code may never end. */
  terminate(): Promise<unknown>;
}

/** A worker as its own code sees it. */
export interface WorkerSide {
  /** The memory that it shares with its owner; undefined in a process. */
  readonly memory: SharedArrayBuffer | undefined;
  /** In a process: replaces the content of its owner's memory. */
  readonly publish: ((bytes: Uint8Array) => void) | undefined;
  post(message: unknown): void;
  onMessage(listener: (message: any) => void): void;
}

/** True if the runtime has workers; false in a browser. */
export function hasWorkers(): boolean {
  return threads?.Worker !== undefined;
}

/** Starts a worker on a module, with memory that it can write. Requires `hasWorkers()`. */
export function startWorker(
  isolation: 'thread' | 'process',
  module: URL,
  memory: SharedArrayBuffer,
): WorkerHandle {
  // A worker would inherit --input-type, and refuse it.
  const isEvaluated = /--input-type/.test(globals['process'].execArgv.join(' '));
  const options = isEvaluated ? { execArgv: [] } : {};
  return isolation === 'thread'
    ? startThread(module, memory, options)
    : startProcess(module, memory, options);
}

function startThread(module: URL, memory: SharedArrayBuffer, options: object): WorkerHandle {
  const worker = new threads.Worker(module, { ...options, workerData: memory });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', listener),
    onEnd(listener) {
      const fail = (error: unknown) => listener(`the thread ended with ${describeError(error)}`);
      worker.on('error', fail);
      worker.on('messageerror', fail);
      worker.on('exit', (code: number) => listener(`the thread ended with the exit code ${code}`));
    },
    terminate: () => worker.terminate(),
  };
}

function startProcess(module: URL, memory: SharedArrayBuffer, options: object): WorkerHandle {
  const { fork } = globals['process'].getBuiltinModule('node:child_process');
  const child = fork(module, {
    ...options,
    serialization: 'advanced',
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'],
  });
  const copy = new Uint8Array(memory);
  let rest = new Uint8Array();
  child.stdio[PROGRESS].on('data', (chunk: Uint8Array) => {
    const bytes: Uint8Array = globals['Buffer'].concat([rest, chunk]);
    // Each record is as long as the memory, and only the last complete one matters.
    const end = bytes.length - (bytes.length % copy.length);
    if (end > 0) copy.set(bytes.subarray(end - copy.length, end));
    rest = bytes.slice(end);
  });
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error: unknown) =>
      resolve(`the process ended with ${describeError(error)}`),
    );
    child.on('close', (code: number | null, signal: string | null) =>
      resolve(
        `the process ended with ${signal === null ? `the exit code ${code}` : `the signal ${signal}`}`,
      ),
    );
  });
  return {
    // The callback takes the error of a process that has ended, which `ended` reports.
    post: (message) => child.send(message, () => {}),
    onMessage: (listener) => child.on('message', listener),
    onEnd: (listener) => void ended.then(listener),
    terminate() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/**
 * Returns the current worker as its own code sees it.
 *
 * @throws TypeError outside a worker.
 */
export function workerSide(): WorkerSide {
  const port = threads?.parentPort;
  if (port)
    return {
      memory: threads.workerData,
      publish: undefined,
      post: (message) => port.postMessage(message),
      onMessage: (listener) => port.on('message', listener),
    };
  const process = globals['process'];
  if (process?.send === undefined)
    throw new TypeError('this module runs inside a worker of explore: do not import it');
  const { writeSync } = process.getBuiltinModule('node:fs');
  return {
    memory: undefined,
    publish: (bytes) => writeSync(PROGRESS, bytes),
    post: (message) => process.send(message),
    onMessage: (listener) => process.on('message', listener),
  };
}

/** The file descriptor to which a process writes its progress. */
const PROGRESS = 4;

/** Imports a module by URL. */
export function importModule(url: string): Promise<Record<string, unknown>> {
  return import(url);
}

/** Returns an environment variable. */
export function environment(name: string): string | undefined {
  return globals['process']?.env?.[name];
}

/** Calls back when the thread ends, or its process; in a browser, never. */
export function atExit(callback: () => void): void {
  globals['process']?.on?.('exit', callback);
}

/**
 * The command line of the process, also when called in a worker thread: the program, its flags, the
 * script, and its arguments.
 */
export function commandLine(): readonly string[] {
  const process = globals['process'];
  if (process?.argv === undefined) return [];
  // In a worker thread, `argv` belongs to the thread; the diagnostic report contains that of the
  // process.
  const whole =
    threads?.isMainThread === false ? process.report?.getReport()?.header?.commandLine : undefined;
  const { argv0, execArgv, argv } = process;
  const words: readonly string[] = whole ?? [argv0, ...execArgv, ...argv.slice(1)];
  // Node makes the path of the script absolute, so this makes it relative again. The module of a
  // flag, as in --require, needs `./`.
  const here = `${process.cwd()}/`;
  const start = (at: number) => (words[at - 1]?.startsWith('-') === true ? './' : '');
  return words.map((word, at) => (word.startsWith(here) ? word.replace(here, start(at)) : word));
}

/**
 * Replaces a file.
 *
 * @throws Error if the runtime has no files, as in a browser, or if the file can't be written.
 */
export function writeTextFile(path: string, text: string): void {
  const files = globals['process']?.getBuiltinModule?.('node:fs');
  if (files === undefined) throw new Error('this runtime has no files');
  files.writeFileSync(path, text);
}

/** Returns when a file was last written, like `Date.now()`; undefined if there is no such file. */
export function fileTime(path: string): number | undefined {
  const files = globals['process']?.getBuiltinModule?.('node:fs');
  const entry = files?.statSync(path, { throwIfNoEntry: false });
  return entry?.isFile() === true ? entry.mtimeMs : undefined;
}

/** Returns when this process began, like `Date.now()`. */
export function processStart(): number {
  return Date.now() - 1_000 * globals['process'].uptime();
}

const globals = globalThis as unknown as Record<string, any>;
const threads: any = globals['process']?.getBuiltinModule?.('node:worker_threads');

/**
 * Returns the real milliseconds since some fixed moment. The function is captured here, before a
 * simulation bans it.
 */
export const realTime: () => number = globals['performance'].now.bind(globals['performance']);

/** Calls back every `milliseconds` of real time. Returns a function that ends this. */
export function repeatEvery(milliseconds: number, callback: () => void): () => void {
  const timer = setRealInterval(callback, milliseconds);
  return () => clearRealInterval(timer);
}

const setRealInterval = globals['setInterval'];
const clearRealInterval = globals['clearInterval'];
