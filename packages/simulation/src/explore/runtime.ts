// Access to the runtime for searches: worker threads, the environment, and a real clock with
// timers. Simulations must use none of these.

/** A worker thread as its owner sees it. */
export interface WorkerHandle {
  post(message: unknown): void;
  onMessage(listener: (message: any) => void): void;
  /** Calls the listener if the thread ended on its own, with an uncaught error or an exit code. */
  onEnd(listener: (end: { readonly error: unknown } | { readonly code: number }) => void): void;
  terminate(): Promise<unknown>;
}

/** A worker thread as its own code sees it. */
export interface WorkerSide {
  readonly data: any;
  post(message: unknown): void;
  onMessage(listener: (message: any) => void): void;
}

/** Starts a worker thread on a module. Requires `hasWorkers()`. */
export function startWorker(module: URL, workerData: unknown): WorkerHandle {
  // A worker would inherit --input-type, and refuses it.
  const isEvaluated = /--input-type/.test(globals['process'].execArgv.join(' '));
  const worker = new threads.Worker(module, { workerData, ...(isEvaluated && { execArgv: [] }) });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', listener),
    onEnd(listener) {
      worker.on('error', (error: unknown) => listener({ error }));
      worker.on('messageerror', (error: unknown) => listener({ error }));
      worker.on('exit', (code: number) => listener({ code }));
    },
    terminate: () => worker.terminate(),
  };
}

/** True if the runtime has worker threads; false in a browser. */
export function hasWorkers(): boolean {
  return threads?.Worker !== undefined;
}

/**
 * Returns the current worker thread as its own code sees it.
 *
 * @throws TypeError outside a worker thread.
 */
export function workerSide(): WorkerSide {
  const port = threads?.parentPort;
  if (port === undefined || port === null)
    throw new TypeError('this module runs inside a worker of explore: do not import it');
  return {
    data: threads.workerData,
    post: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', listener),
  };
}

/** Imports a module by URL. */
export function importModule(url: string): Promise<Record<string, unknown>> {
  return import(url);
}

/** Returns an environment variable. */
export function environment(name: string): string | undefined {
  return globals['process']?.env?.[name];
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
  const words: readonly string[] = whole ?? [
    process.argv0,
    ...process.execArgv,
    ...process.argv.slice(1),
  ];
  // Node makes the path of the script absolute, so this makes it relative again.
  const here = `${process.cwd()}/`;
  return words.map((word) => (word.startsWith(here) ? word.slice(here.length) : word));
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
