// Handling of errors that no code catches while a simulation runs: they fail the run instead of
// ending the process.

/** Receives uncaught errors. */
export interface UncaughtReport {
  /** Called when a promise was rejected and has no handler so far. */
  rejected(error: unknown, promise: object): void;
  /** Called when a promise that was reported as rejected has got a handler. */
  handled(promise: object): void;
  /** Called when a callback outside every promise threw. */
  threw(error: unknown): void;
  /**
   * Called when Node has reported an uncaught exception; it calls `setImmediate` of `node:timers`
   * next.
   */
  handedOver(): void;
}

/** Takes over the uncaught errors of this thread from all other listeners. */
export interface UncaughtWatch {
  /**
   * True if `flush` reports everything. Otherwise, reports come with turns of the real event loop.
   */
  readonly isExact: boolean;
  /** Reports at once all rejections that have no handler so far. */
  flush(): void;
  /**
   * Takes over the errors; `lift` hands them back, for a turn of the real event loop or
   * permanently.
   */
  impose(): void;
  lift(): void;
  /** Stops the reports of promises that are handled late. */
  forget(): void;
}

/**
 * Watches for uncaught errors, in Node or in a page; intercepts nothing before `impose` is called.
 */
export function watchUncaught(report: UncaughtReport): UncaughtWatch {
  return process === undefined ? watchPage(report) : watchProcess(process, report);
}

function watchProcess(
  process: Emitter,
  { rejected, handled, threw, handedOver }: UncaughtReport,
): UncaughtWatch {
  const own: Readonly<Record<string, Listener>> = {
    unhandledRejection: rejected,
    // With --unhandled-rejections=strict, Node reports a rejection here first, and then as a
    // rejection.
    uncaughtException: (error, origin) => {
      handedOver();
      if (origin !== 'unhandledRejection') threw(error);
    },
  };
  const others = new Map<string, Listener[]>();
  let [isImposed, isListening] = [false, false];
  const flush = () => runTicks?.();
  return {
    isExact: runTicks !== undefined,
    flush,
    impose() {
      if (isImposed) return;
      isImposed = true;
      if (!isListening) process.on('rejectionHandled', handled);
      isListening = true;
      for (const [event, listener] of Object.entries(own)) {
        others.set(event, process.rawListeners(event));
        process.removeAllListeners(event);
        process.on(event, listener);
      }
    },
    lift() {
      if (!isImposed) return;
      flush();
      isImposed = false;
      for (const [event, listener] of Object.entries(own)) {
        process.removeListener(event, listener);
        for (const other of others.get(event)!) process.on(event, other);
      }
    },
    forget() {
      process.removeListener('rejectionHandled', handled);
      isListening = false;
    },
  };
}

/**
 * Watches in a page. A page reports rejections in a separate turn, so listeners stay until the
 * simulation is closed.
 */
function watchPage({ rejected, handled, threw }: UncaughtReport): UncaughtWatch {
  const own: Readonly<Record<string, (event: any) => void>> = {
    unhandledrejection: ({ reason, promise }) => rejected(reason, promise),
    error: ({ error }) => threw(error),
  };
  const onEvent = (event: any) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    own[event.type]!(event);
  };
  const onHandled = ({ promise }: { readonly promise: object }) => handled(promise);
  let isImposed = false;
  return {
    isExact: false,
    flush() {},
    impose() {
      if (isImposed) return;
      isImposed = true;
      for (const event of Object.keys(own))
        globals['addEventListener']?.(event, onEvent, { capture: true });
      globals['addEventListener']?.('rejectionhandled', onHandled);
    },
    lift() {},
    forget() {
      isImposed = false;
      for (const event of Object.keys(own))
        globals['removeEventListener']?.(event, onEvent, { capture: true });
      globals['removeEventListener']?.('rejectionhandled', onHandled);
    },
  };
}

type Listener = (...args: any[]) => void;

/** The part of Node's `process` that this file needs. */
interface Emitter {
  on(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
  removeAllListeners(event: string): unknown;
  rawListeners(event: string): Listener[];
}

const globals = globalThis as unknown as Record<string, any>;
const process: (Emitter & { _tickCallback?(): void }) | undefined =
  typeof globals['process']?.rawListeners === 'function' ? globals['process'] : undefined;
/**
 * Runs the parts of the end of a turn of Node's event loop other than microtasks: `nextTick`
 * callbacks, and reports of unhandled rejections. A simulation stays within one turn, so it has to
 * request them. Node does not document this function; without it, they run when virtual time leaps,
 * and at `close`.
 */
const runTicks: (() => void) | undefined = process?._tickCallback?.bind(process);
