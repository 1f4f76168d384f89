// Errors that no code catches while a simulation runs: they fail the run, and do not end the process.

/** Receives uncaught errors. */
export interface UncaughtReport {
  /** A promise was rejected, and nothing handles it so far. */
  rejected(error: unknown, promise: object): void;
  /** A promise that was reported as rejected has a handler now. */
  handled(promise: object): void;
  /** A callback outside every promise threw. */
  threw(error: unknown): void;
  /** Node has handed an exception over, and calls `setImmediate` of `node:timers` next. */
  handedOver(): void;
}

/** Takes the uncaught errors of this thread from everyone else who listens for them. */
export interface UncaughtWatch {
  /** Whether `flush` has everything reported. Otherwise reports come with the turns of the real event loop. */
  readonly isExact: boolean;
  /** Reports the rejections that nothing handles so far, at once. */
  flush(): void;
  /** Takes the errors; `lift` gives them back, around a turn of the real event loop or for good. */
  impose(): void;
  lift(): void;
  /** Ends the reports of rejections that are handled late. */
  forget(): void;
}

export function watchUncaught(report: UncaughtReport): UncaughtWatch {
  return process === undefined ? watchPage(report) : watchProcess(process, report);
}

function watchProcess(process: Emitter, { rejected, handled, threw, handedOver }: UncaughtReport): UncaughtWatch {
  const own: Readonly<Record<string, Listener>> = {
    unhandledRejection: rejected,
    // With --unhandled-rejections=strict Node reports a rejection here first, and then as one.
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

/** A page tells of rejections on a turn of its own: those of a simulation are told as long as it is not closed. */
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
      for (const event of Object.keys(own)) world['addEventListener']?.(event, onEvent, { capture: true });
      world['addEventListener']?.('rejectionhandled', onHandled);
    },
    lift() {},
    forget() {
      isImposed = false;
      for (const event of Object.keys(own)) world['removeEventListener']?.(event, onEvent, { capture: true });
      world['removeEventListener']?.('rejectionhandled', onHandled);
    },
  };
}

type Listener = (...args: any[]) => void;

/** Node's process, as far as this file needs it. */
interface Emitter {
  on(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
  removeAllListeners(event: string): unknown;
  rawListeners(event: string): Listener[];
}

const world = globalThis as unknown as Record<string, any>;
const process: (Emitter & { _tickCallback?(): void }) | undefined = typeof world['process']?.rawListeners === 'function' ? world['process'] : undefined;
/**
 * The end of a turn of Node's event loop, but for the microtasks: what waits for `nextTick`, and reports of unhandled rejections. A
 * simulation stays within one turn, so it has to ask for them. Not documented by Node; without it they come when time leaps, and at `close`.
 */
const runTicks: (() => void) | undefined = process?._tickCallback?.bind(process);
