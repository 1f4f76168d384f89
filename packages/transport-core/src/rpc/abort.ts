// One listener a signal, however many calls it ends: a signal may be reused by 100,000 of them without a warning or a leak.

/** What an abort ends. */
export interface Abortable {
  aborted(reason: unknown): void;
}

interface Watched {
  readonly calls: Set<Abortable>;
  readonly listener: () => void;
}

const watched = new WeakMap<AbortSignal, Watched>();

/** `call.aborted` is called when the signal aborts, until `unwatch`. */
export function watch(signal: AbortSignal, call: Abortable): void {
  let entry = watched.get(signal);
  if (entry === undefined) {
    const calls = new Set<Abortable>();
    const listener = () => {
      for (const waiting of calls) waiting.aborted(signal.reason);
      watched.delete(signal);
    };
    entry = { calls, listener };
    watched.set(signal, entry);
    signal.addEventListener('abort', listener, { once: true });
  }
  entry.calls.add(call);
}

/** The call has settled; the last one takes the listener with it. */
export function unwatch(signal: AbortSignal, call: Abortable): void {
  const entry = watched.get(signal);
  if (entry === undefined || !entry.calls.delete(call) || entry.calls.size > 0) return;
  signal.removeEventListener('abort', entry.listener);
  watched.delete(signal);
}
