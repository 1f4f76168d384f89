// The rules of one connection, over streams that are secured.

import { createIdentity } from '@trunkline/identity';
import { createManualClock, NetworkTransport } from '@trunkline/transport-core';
import { createInmemStreams } from '@trunkline/transport-inmem';
import { createTcpStreamLayer } from '@trunkline/transport-tcp';
import { sessionSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { secure } from './secure.ts';

const identity = createIdentity();

// Raw peers stand on a clock that never moves: a busy machine ends no handshake of theirs.

sessionSuite(test, {
  name: 'noise over memory',
  proves: true,
  place() {
    const streams = createInmemStreams();
    return {
      layer: () => secure(streams.layer(), { identity, clock: createManualClock() }),
      transport: (options) => new NetworkTransport({ ...options, stream: secure(streams.layer(), { identity, clock: options.clock }) }),
    };
  },
});

sessionSuite(test, {
  name: 'noise over tcp',
  proves: true,
  place() {
    return {
      layer: () => secure(createTcpStreamLayer(), { identity, clock: createManualClock() }),
      transport(options) {
        const { clock } = options;
        return new NetworkTransport({ ...options, stream: secure(createTcpStreamLayer({ clock }), { identity, clock }) });
      },
    };
  },
});
