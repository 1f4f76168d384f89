// Runs the compliance suite of transports with node ids as targets, over TCP.

import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { common, same, whole } from './testing/by-id.ts';

transportSuite(test, {
  ...common,
  name: 'node ids over TCP',
  create(options, { address, wrap = same } = {}) {
    return whole(options, address, (bindAddr = '127.0.0.1:0', nodeId) => {
      const layer = createTcpStreamLayer({ bindAddr, clock: options.clock });
      layer.advertiseAddr = () => nodeId; // The option refuses it: not a TCP address.
      return wrap(layer);
    });
  },
});
