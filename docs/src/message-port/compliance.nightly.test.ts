import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createPortStreamLayer } from './port-stream-layer.ts';

transportSuite(test, {
  name: 'port',
  create(options, { address, advertiseAddr, wrap } = {}) {
    const layer = createPortStreamLayer({ address, advertiseAddr, clock: options.clock });
    return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
  },
  unreachable: () => 'port-that-nobody-has',
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'a name is one listener, and no name means all of them',
  },
});
