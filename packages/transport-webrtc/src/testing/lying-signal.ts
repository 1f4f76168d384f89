// Signaling that alters, drops or adds messages on their way.

import type { Signal, SignalSession } from '../signal.ts';

/** Returns a copy of a signal, whose members a test may replace. */
export function bound(signal: Signal): Signal {
  return {
    nodeId: signal.nodeId,
    trickle: signal.trickle,
    listen: (accept, failed) => signal.listen(accept, failed),
    unlisten: () => signal.unlisten(),
    open: (target, options) => signal.open(target, options),
  };
}

/**
 * Wraps a signal. Each message that the other node sends goes through `alter`, which returns what
 * arrives instead: no message, or several.
 */
export function lyingSignal(signal: Signal, alter: (message: any) => unknown[]): Signal {
  const wrap = (session: SignalSession): SignalSession => ({
    peer: session.peer,
    attach: (receiver) =>
      session.attach({
        message: (message) => {
          for (const each of alter(message)) receiver.message(each);
        },
        closed: (error) => receiver.closed(error),
      }),
    send: (message) => session.send(message),
    close: (error) => session.close(error),
  });
  return {
    ...bound(signal),
    listen: (accept, failed) => signal.listen((session) => accept(wrap(session)), failed),
    open: async (target, options) => wrap(await signal.open(target, options)),
  };
}
