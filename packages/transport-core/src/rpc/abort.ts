// Adds one abort listener per signal, however many calls it cancels, so that 100,000 calls can
// share a signal without warnings or leaks.

/** A call that an abort cancels. */
export interface Abortable {
  aborted(reason: unknown): void;
}

interface Watched {
  readonly calls: Set<Abortable>;
  readonly listener: () => void;
}

const watched = new WeakMap<AbortSignal, Watched>();

/** Calls `call.aborted` when the signal aborts, until `unwatch`. */
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

/** Stops watching the signal for a call that has settled; the last call removes the listener. */
export function unwatch(signal: AbortSignal, call: Abortable): void {
  const entry = watched.get(signal);
  if (entry === undefined || !entry.calls.delete(call) || entry.calls.size > 0) return;
  signal.removeEventListener('abort', entry.listener);
  watched.delete(signal);
}
