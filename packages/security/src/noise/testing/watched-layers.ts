// Stream layers that record for a test what passes through them.

import type { StreamLayer } from '@trunkline/transport-core/backend';

/** Returns the layer, recording everything written to its connections in `said`. */
export function record(layer: StreamLayer, said: Uint8Array[]): StreamLayer {
  const watch = <C extends { write(chunk: Uint8Array): boolean }>(connection: C): C => {
    const write = connection.write.bind(connection);
    connection.write = (chunk) => {
      said.push(chunk.slice());
      return write(chunk);
    };
    return connection;
  };
  return {
    listen: (accept, failed, options) =>
      layer.listen((connection, slot) => accept(watch(connection), slot), failed, options),
    dial: async (address, options) => watch(await layer.dial(address, options)),
    localAddr: () => layer.localAddr(),
    advertiseAddr: () => layer.advertiseAddr(),
    close: () => layer.close(),
  };
}

/** Returns the layer, and a promise that resolves when it has accepted `count` connections. */
export function watchArrivals(
  inner: StreamLayer,
  count: number,
): { layer: StreamLayer; all: Promise<void> } {
  let arrived = 0;
  let told = () => {};
  const all = new Promise<void>((resolve) => {
    told = resolve;
  });
  const layer: StreamLayer = {
    listen: (accept, failed, options) =>
      inner.listen(
        (connection, slot) => {
          accept(connection, slot);
          if (++arrived === count) told();
        },
        failed,
        options,
      ),
    dial: (address, options) => inner.dial(address, options),
    localAddr: () => inner.localAddr(),
    advertiseAddr: () => inner.advertiseAddr(),
    close: () => inner.close(),
  };
  return { layer, all };
}
