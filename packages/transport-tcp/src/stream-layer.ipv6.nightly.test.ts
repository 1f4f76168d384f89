// Stream layer tests of the TCP layer over IPv6.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

streamLayerSuite(test, {
  name: 'tcp over IPv6',
  make: ({ clock }) => ({
    layer: (bindAddr = '[::1]:0', advertiseAddr) =>
      createTcpStreamLayer({ bindAddr, advertiseAddr, clock }),
    malformed: ['', '::1:7000', '[::1', '[::1]:65536', ':7000'],
  }),
});
