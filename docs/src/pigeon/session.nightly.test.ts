// The pigeon post, held to the rules of one connection.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { createPigeonPost } from './pigeon-post.ts';

sessionSuite(test, {
  name: 'pigeon',
  place() {
    const post = createPigeonPost();
    return {
      layer: () => post.layer(),
      transport: (options) =>
        new NetworkTransport({ ...options, stream: post.layer({ clock: options.clock }) }),
    };
  },
});
