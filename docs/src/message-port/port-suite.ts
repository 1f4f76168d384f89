// Declares the suite of stream layers for message ports; `test` may come from any runner.

import { streamLayerSuite, type TestFunction } from '@trunkline/transport-testkit';
import { createPortNetwork } from './port-network.ts';

export function portSuite(test: TestFunction): void {
  streamLayerSuite(test, {
    name: 'port',
    make({ clock }) {
      const network = createPortNetwork();
      return {
        layer: (address, advertiseAddr) => network.layer({ address, advertiseAddr, clock }),
        malformed: ['', 'two words', 'tcp://north'],
      };
    },
  });
}
