// Session tests over secured streams in memory; the tests over sockets are in
// session.tcp.nightly.test.ts.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer } from './create-noise-stream-layer.ts';

const identity = createIdentity();

// Raw peers use a clock that never advances, so that a busy machine does not time out their
// handshakes.

sessionSuite(test, {
  name: 'noise over memory',
  proves: true,
  answersDials: true,
  place() {
    const streams = createInmemStreams();
    return {
      layer: () =>
        createNoiseStreamLayer(streams.layer(), { identity, clock: createManualClock() }),
      transport: (options) =>
        new NetworkTransport({
          ...options,
          stream: createNoiseStreamLayer(streams.layer(), { identity, clock: options.clock }),
        }),
    };
  },
});
