// Declares the suite of stream layers for the pigeon post; `test` may come from any runner.

import { streamLayerSuite, type TestFunction } from '@trunkline/transport-testkit';
import { createPigeonPost } from './pigeon-post.ts';

export function pigeonSuite(test: TestFunction): void {
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
}
