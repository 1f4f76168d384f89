import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createPigeonStreamLayer } from './pigeon-stream-layer.ts';

transportSuite(test, {
  name: 'pigeon',
  create(options, { address, advertiseAddr, wrap } = {}) {
    const layer = createPigeonStreamLayer({ address, advertiseAddr, clock: options.clock });
    return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
  },
  unreachable: () => 'loft-that-nobody-keeps',
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'a loft is one place, and no name means all of them',
  },
});
