// Spreads the messages that `ws` has already read over several turns of the event loop, or drops
// them.

/** The private part of a WebSocket of `ws` on which this depends. */
interface Receiving {
  readonly _receiver?:
    | { _allowSynchronousEvents?: unknown; _buffers?: unknown; _bufferedBytes?: unknown }
    | undefined;
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

/**
 * Drops the messages that `ws` has already read, because the connection is over. To report its end,
 * `ws` would first hand out each of them, all in one turn: ten thousand empty ones take 10 ms. In a
 * version of `ws` without these properties, it still does.
 */
export function dropRead(webSocket: object): void {
  const { _receiver: receiver } = webSocket as Receiving;
  if (!Array.isArray(receiver?._buffers) || typeof receiver._bufferedBytes !== 'number') return;
  receiver._buffers.length = 0;
  receiver._bufferedBytes = 0;
}
