// The pigeon post, held to the port `StreamLayer` and to the rules of one connection.

import { NetworkTransport } from '@trunkline/transport-core';
import { sessionSuite, streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createPigeonPost } from './pigeon-post.ts';

streamLayerSuite(test, {
  name: 'pigeon',
  make({ clock }) {
    const post = createPigeonPost();
    return { layer: (address, advertiseAddr) => post.layer({ address, advertiseAddr, clock }), malformed: ['', 'two words', 'tcp://north'] };
  },
});

sessionSuite(test, {
  name: 'pigeon',
  place() {
    const post = createPigeonPost();
    return {
      layer: () => post.layer(),
      transport: (options) => new NetworkTransport({ ...options, stream: post.layer({ clock: options.clock }) }),
    };
  },
});
