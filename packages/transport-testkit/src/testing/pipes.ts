// A minimal StreamLayer for the testkit's own tests: pipes within this process, on which every byte
// can be observed.

import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';

/** The writer of a chunk: the end that dialed, or the end that accepted. */
export type Side = 'dialer' | 'acceptor';

/**
 * Creates a world of pipes, whose layers get the addresses 'pipe-1', 'pipe-2' … in the order in
 * which they are made. `tap` receives every chunk as it is written, and must not keep it, because
 * its memory may be reused.
 */
export function createPipes(tap: (side: Side, chunk: Uint8Array) => void = () => {}): {
  layer(): StreamLayer;
} {
  const streams = createInmemStreams();
  let made = 0;
  const tapped = (inner: StreamConnection, side: Side): StreamConnection => ({
    endpoint: named(inner.endpoint),
    attach: (sink) => inner.attach(sink),
    write(chunk) {
      tap(side, chunk);
      return inner.write(chunk);
    },
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    close: () => inner.close(),
    destroy: (error) => inner.destroy(error),
  });
  return {
    layer(): StreamLayer {
      const address = `pipe-${++made}`;
      const layer = streams.layer(address);
      return {
        listen: (accept) => layer.listen((connection) => accept(tapped(connection, 'acceptor'))),
        dial: async (to, options) => tapped(await layer.dial(`inmem://${to}`, options), 'dialer'),
        localAddr: () => named(layer.localAddr()),
        advertiseAddr: () => address,
        close: () => layer.close(),
      };
    },
  };
}

/** Returns the name in an address of in-memory streams, or in an endpoint of its dialer. */
function named(address: string): string {
  return address.replace(/^inmem:\/\/|:\d+$/g, '');
}
