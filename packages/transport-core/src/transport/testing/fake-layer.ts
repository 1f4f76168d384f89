// A stream layer for tests of transports without peers.

import { TransportError } from '../../errors.ts';
import type { StreamConnection, StreamLayer } from '../../stream/stream-layer.ts';

/** Creates a layer that listens, and whose dials end only when they are aborted. */
export function fakeLayer() {
  const state = {
    listens: 0,
    closed: 0,
    dials: [] as string[],
    accept: (_connection: StreamConnection) => {},
    fail: (_error: TransportError) => {},
    broken: undefined as TransportError | undefined,
  };
  const layer: StreamLayer = {
    listen: async (accept, failed) => {
      state.listens++;
      state.accept = accept;
      state.fail = failed!;
      if (state.broken !== undefined) throw state.broken;
    },
    dial: (address, { signal }) => {
      state.dials.push(address);
      return new Promise((_resolve, reject) =>
        signal!.addEventListener('abort', () => reject(signal!.reason)),
      );
    },
    localAddr: () => {
      if (state.listens === 0) throw new TransportError('failed_precondition', 'not yet');
      return 'fake:1';
    },
    advertiseAddr: () => 'fake:1',
    close: async () => void state.closed++,
  };
  return { layer, state };
}
