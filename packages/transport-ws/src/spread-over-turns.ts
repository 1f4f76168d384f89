// Spreads the messages that `ws` has already read over several turns of the event loop.

/** The private part of a WebSocket of `ws` on which this depends. */
interface Receiving {
  readonly _receiver?: { _allowSynchronousEvents?: unknown } | undefined;
}

/**
 * Makes `ws` hand out one message in each turn of the event loop, or all that it has at once. A
 * pause only stops the socket, and a chunk of it may hold ten thousand short messages. `ws` has an
 * option for this (`allowSynchronousEvents`), but its value can't change. This sets the private
 * property behind the option. In a version of `ws` without that property, all messages of the chunk
 * come at once.
 */
export function spreadOverTurns(webSocket: object, isSpread: boolean): void {
  const { _receiver: receiver } = webSocket as Receiving;
  if (typeof receiver?._allowSynchronousEvents === 'boolean')
    receiver._allowSynchronousEvents = !isSpread;
}
