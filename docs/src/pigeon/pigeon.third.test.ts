// The pigeon post, held to the port `StreamLayer`.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createPigeonPost } from './pigeon-post.ts';

streamLayerSuite(test, {
  name: 'pigeon',
  make({ clock }) {
    const post = createPigeonPost();
    return {
      layer: (address, advertiseAddr) => post.layer({ address, advertiseAddr, clock }),
      malformed: ['', 'two words', 'tcp://north'],
    };
  },
});
