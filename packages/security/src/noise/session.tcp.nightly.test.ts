// Session tests over secured sockets.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer } from './create-noise-stream-layer.ts';

const identity = createIdentity();

// Raw peers use a clock that never advances, so that a busy machine does not time out their
// handshakes.

sessionSuite(test, {
  name: 'noise over tcp',
  proves: true,
  answersDials: true,
  place() {
    return {
      layer: () =>
        createNoiseStreamLayer(createTcpStreamLayer(), { identity, clock: createManualClock() }),
      transport(options) {
        const { clock } = options;
        return new NetworkTransport({
          ...options,
          stream: createNoiseStreamLayer(createTcpStreamLayer({ clock }), { identity, clock }),
        });
      },
    };
  },
});
